package streaming

// audience is viewers, arranged so that those whom a step concerns are found without looking at the others.
type audience struct {
	all []*viewer
	// by are the viewers who hear of events of a device; those of anyDevice hear of every step.
	by map[string][]*viewer
}

// anyDevice is the topic of viewers who name no devices, or many. No device has that name.
const anyDevice = ""

var everyStep = []string{anyDevice}

// topics returns of what the viewer has to hear from its pump.
func (v *viewer) topics() []string {
	switch {
	case v.request.Every > 0:
		return nil // it asks for newest readings when it is time
	case v.buckets == nil && v.filter.devices != nil && len(v.filter.devices) <= soughtDevices:
		return v.filter.devices
	}
	return everyStep
}

func (a *audience) add(v *viewer) {
	v.member = len(a.all)
	a.all = append(a.all, v)
	for _, topic := range v.topics() {
		v.places = append(v.places, len(a.by[topic]))
		a.by[topic] = append(a.by[topic], v)
	}
}

func (a *audience) remove(v *viewer) {
	a.all = without(a.all, v.member, func(moved *viewer) { moved.member = v.member })
	for i, topic := range v.topics() {
		place := v.places[i]
		left := without(a.by[topic], place, func(moved *viewer) { moved.move(topic, len(a.by[topic])-1, place) })
		if a.by[topic] = left; len(left) == 0 {
			delete(a.by, topic)
		}
	}
}

// without returns the list without its i-th viewer, whose place the last one takes, as moved is told.
func without(list []*viewer, i int, moved func(*viewer)) []*viewer {
	last := len(list) - 1
	moved(list[last])
	list[i], list[last] = list[last], nil
	return list[:last]
}

// move notes that the viewer's place among those of a topic is another one. A topic may be named twice.
func (v *viewer) move(topic string, from, to int) {
	for i, name := range v.topics() {
		if name == topic && v.places[i] == from {
			v.places[i] = to
			return
		}
	}
}

// concerned appends the viewers whom events of the devices may concern, perhaps some of them twice; all of them when devices
// is nil.
func (a *audience) concerned(dst []*viewer, devices deviceSet) []*viewer {
	if devices == nil {
		return append(dst, a.all...)
	}
	for device := range devices {
		dst = append(dst, a.by[device]...)
	}
	return append(dst, a.by[anyDevice]...)
}

package roster

// AnyDevice is the topic of members that name no devices, or many. It is no device's name.
const AnyDevice = ""

// Audience is a set of members, indexed so that those that a step concerns are found without looking at the others. Its owner
// guards it, and the seats of its members, by a mutex.
type Audience[M seated] struct {
	all []M
	// by holds the members that hear of events of a device; those of AnyDevice hear of every step.
	by map[string][]M
}

// Seat is a member's location in an audience. The member embeds it.
type Seat struct {
	member  int      // index among all
	topics  []string // devices that it hears of; one may be named twice
	indexes []int    // index among those of each topic
}

type seated interface {
	comparable
	seat() *Seat
}

func (s *Seat) seat() *Seat { return s }

// NewAudience returns an audience without members.
func NewAudience[M seated]() *Audience[M] { return &Audience[M]{by: map[string][]M{}} }

// Add adds a member that hears of events of the topics: devices, or AnyDevice. Without topics it hears only of steps whose
// devices are unknown. The audience keeps the list, which must not change.
func (a *Audience[M]) Add(m M, topics []string) {
	s := m.seat()
	*s = Seat{member: len(a.all), topics: topics}
	a.all = append(a.all, m)
	for _, topic := range topics {
		s.indexes = append(s.indexes, len(a.by[topic]))
		a.by[topic] = append(a.by[topic], m)
	}
}

// Remove removes a member.
func (a *Audience[M]) Remove(m M) {
	s := m.seat()
	a.all = without(a.all, s.member, func(moved *Seat) { moved.member = s.member })
	for i, topic := range s.topics {
		index := s.indexes[i]
		left := without(a.by[topic], index, func(moved *Seat) { moved.move(topic, len(a.by[topic])-1, index) })
		if a.by[topic] = left; len(left) == 0 {
			delete(a.by, topic)
		}
	}
}

// without returns the list without its i-th member. The last member moves to index i, which moved is told.
func without[M seated](list []M, i int, moved func(*Seat)) []M {
	last := len(list) - 1
	moved(list[last].seat())
	var none M
	list[i], list[last] = list[last], none
	return list[:last]
}

// move updates the seat's index among the members of a topic.
func (s *Seat) move(topic string, from, to int) {
	for i, name := range s.topics {
		if name == topic && s.indexes[i] == from {
			s.indexes[i] = to
			return
		}
	}
}

// Concerned appends the members that events of the devices (the keys) may concern, some of them perhaps twice; all members when
// devices is nil.
func (a *Audience[M]) Concerned(dst []M, devices map[string]int32) []M {
	if devices == nil {
		return append(dst, a.all...)
	}
	for device := range devices {
		dst = append(dst, a.by[device]...)
	}
	return append(dst, a.by[AnyDevice]...)
}

package series

// Within returns those of the series whose newest reading has an instant in [from, to), Unix ms.
func (r *Registry) Within(ids []int32, from, to int64) []int32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var within []int32
	for _, id := range ids {
		if s := r.at(id); s != nil && s.LastTS != NoReading && from <= s.LastTS && s.LastTS < to {
			within = append(within, id)
		}
	}
	return within
}

// Newest is the newest reading of a series; TS is in Unix milliseconds, NoReading when there is none.
type Newest struct {
	ID    int32
	TS    int64
	Value float64
}

// Retract takes the batch with the stamp into account, with which the newest reading of series was deleted: what is given is newest
// now.
func (r *Registry) Retract(stamp int64, left []Newest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stamp = stamp
	for _, n := range left {
		if s := r.at(n.ID); s != nil {
			s.LastTS, s.LastValue, s.LastStamp = n.TS, n.Value, stamp
		}
	}
}

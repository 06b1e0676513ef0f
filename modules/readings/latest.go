package readings

import (
	"context"
	"net/url"
	"time"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/platform/fault"
)

// Latest returns the newest reading of each series selected, as far as the principal may see. It answers from memory; only
// tags are looked up in the database. Series without a reading that is still kept are left out.
func (s *Service) Latest(ctx context.Context, who auth.Principal, wanted Selection) ([]devices.SeriesState, error) {
	select {
	case <-s.tail.Loaded():
	default:
		return nil, fault.Busy(time.Second, s.tail.Err(), "the newest readings are still being loaded")
	}
	states, err := s.selectSeries(ctx, who, wanted)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, state := range states {
		if s.folder.Keeps(state) {
			states[n] = state
			n++
		}
	}
	return states[:n], nil
}

// parseLatest reads the parameters of a question for the newest readings.
func parseLatest(values url.Values) (Selection, error) {
	p := parser{values: values}
	p.known([]string{"device", "tag", "metric"})
	wanted := p.selection()
	return wanted, p.err()
}

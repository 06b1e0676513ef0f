package history

import (
	"context"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/series"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// Latest returns the newest reading of each series selected, as far as the principal may see. It answers from memory; only
// tags are looked up in the database. Series without a reading that is still kept are left out.
func (e *Engine) Latest(ctx context.Context, who access.Principal, wanted Selection) ([]series.State, error) {
	select {
	case <-e.tail.Loaded():
	default:
		return nil, fault.Busy(time.Second, e.tail.Err(), "the newest readings are still being loaded")
	}
	bounded, cancel := context.WithTimeout(ctx, e.limits.Timeout)
	defer cancel()
	states, err := e.selectSeries(bounded, who, wanted)
	if err != nil {
		return nil, e.tooLong(ctx, bounded, err)
	}
	n := 0
	for _, state := range states {
		if e.retention.Keeps(state) {
			states[n] = state
			n++
		}
	}
	return states[:n], nil
}

// ParseLatest reads the parameters of a question for the newest readings.
func ParseLatest(p *httpapi.Query) (Selection, error) {
	wanted := readSelection(p)
	return wanted, p.Err()
}

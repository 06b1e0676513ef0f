package readings

import (
	"net/url"
	"time"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/platform/fault"
)

// Latest returns the newest reading of each series of the devices and metrics named, all that the principal may see if
// none is named. It answers from memory. Series without a reading are left out.
func (s *Service) Latest(who auth.Principal, wanted, metrics []string) ([]devices.SeriesState, error) {
	select {
	case <-s.tail.Loaded():
	default:
		return nil, fault.Busy(time.Second, s.tail.Err(), "the newest readings are still being loaded")
	}
	states := s.registry.Select(visible(s.registry, who, wanted), metrics)
	n := 0
	for _, state := range states {
		if state.LastTS != devices.NoReading {
			states[n] = state
			n++
		}
	}
	return states[:n], nil
}

// parseLatest reads the parameters of a question for the newest readings.
func parseLatest(values url.Values) (wanted, metrics []string, err error) {
	p := parser{values: values}
	p.known([]string{"device", "metric"})
	wanted, metrics = p.words("device", maxDevices), p.words("metric", maxDevices)
	return wanted, metrics, p.err()
}

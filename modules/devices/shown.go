package devices

import "telltale/modules/auth/access"

// shown returns what the principal's scopes show of a device that it may see. The newest values are readings: without the scope
// readings:read they are left out.
func shown(p access.Principal, device Device) Device {
	if p.Can(access.ReadingsRead) {
		return device
	}
	metrics := make([]Metric, len(device.Metrics))
	for i, metric := range device.Metrics {
		metrics[i] = Metric{Name: metric.Name, Unit: metric.Unit}
	}
	device.Metrics = metrics
	return device
}

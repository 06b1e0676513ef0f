package filter

// Selection says which readings a stream holds. Nil means all, an empty list none.
type Selection struct {
	// Devices are ids and patterns.
	Devices []string `json:"device,omitzero"`
	// Tags must all be on the device.
	Tags    []string `json:"tag,omitzero"`
	Metrics []string `json:"metric,omitzero"`
}

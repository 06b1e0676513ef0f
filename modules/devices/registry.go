package devices


// Series is one device's one metric, as the registry knows it.
type Series struct {
	ID     int32
	Device string
	Metric string
	Unit   string
}

package boards

// Document is what a board shows.
type Document struct {
	// Range is the range of time of all tiles without one of their own, in the page's words.
	Range string `json:"range,omitempty"`
	Tiles []Tile `json:"tiles"`
}

// Tile is a part of a board: what it shows of which series, and where on a grid of columns.
type Tile struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	X     int    `json:"x"`
	Y     int    `json:"y"`
	W     int    `json:"w"`
	H     int    `json:"h"`
	Title string `json:"title,omitempty"`
	// Series are shown one by one, Selection is what shows new devices by itself. A tile has one of them or, as long as nothing has
	// been chosen, neither.
	Series    []Series   `json:"series,omitempty"`
	Selection *Selection `json:"selection,omitempty"`
	Range     string     `json:"range,omitempty"`
	// Text is a note's.
	Text string `json:"text,omitempty"`
	// Options are the page's own: small values by name.
	Options map[string]any `json:"options,omitempty"`
}

// Series names one metric of one device.
type Series struct {
	Device string `json:"device"`
	Metric string `json:"metric"`
}

// Selection names one metric of all devices that have a tag, or whose id matches a pattern.
type Selection struct {
	Tag    string `json:"tag,omitempty"`
	Device string `json:"device,omitempty"`
	Metric string `json:"metric"`
}

// The kinds of tiles.
const note = "note"

var kinds = []string{"chart", "value", "states", "table", note}

// The limits of a document.
const (
	columns    = 12
	maxRow     = 1000
	maxHeight  = 100
	maxTiles   = 100
	maxSeries  = 50 // of a tile
	maxOptions = 20

	maxNameRunes   = 100
	maxTitleRunes  = 200
	maxRangeRunes  = 100
	maxTextRunes   = 10_000
	maxOptionRunes = 200
)

package boards

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"telltale/modules/devices"
	"telltale/platform/glob"
	"telltale/platform/httpapi"
)

// parseDraft takes a board out of the members of a body, and notes everything that is wrong with it.
func parseDraft(m *httpapi.Members) Draft {
	m.Require("name")
	draft := Draft{Name: text(m, "name", maxNameRunes, false), Document: Document{Tiles: []Tile{}}}
	if strings.TrimSpace(draft.Name) != draft.Name || draft.Name == "" && m.Faults.Empty() {
		m.Faults.Add("name", "must be a name, without spaces around it")
	}
	if shared := httpapi.Take[bool](m, "shared", "true or false"); shared != nil {
		draft.Shared = *shared
	}
	if raw := m.TakeRaw("document"); raw != nil {
		draft.Document = parseDocument(m, raw)
	}
	return draft
}

func parseDocument(outer *httpapi.Members, raw json.RawMessage) Document {
	doc := Document{Tiles: []Tile{}}
	within(outer, "document", raw, func(m *httpapi.Members) {
		doc.Range = text(m, "range", maxRangeRunes, false)
		m.Require("tiles")
		tiles := httpapi.Take[[]json.RawMessage](m, "tiles", "an array of tiles")
		switch {
		case tiles == nil:
		case len(*tiles) > maxTiles:
			m.Faults.Add("tiles", "must have at most %d entries", maxTiles)
		default:
			doc.Tiles = parseTiles(m, *tiles)
		}
	})
	return doc
}

func parseTiles(m *httpapi.Members, list []json.RawMessage) []Tile {
	tiles, indexes := make([]Tile, len(list)), map[string]int{}
	for i, raw := range list {
		name := fmt.Sprintf("tiles[%d]", i)
		within(m, name, raw, func(m *httpapi.Members) { tiles[i] = parseTile(m) })
		if first, taken := indexes[tiles[i].ID]; taken && tiles[i].ID != "" {
			m.Faults.Add(name+".id", "is that of tiles[%d] too", first)
		}
		indexes[tiles[i].ID] = i
	}
	return tiles
}

var tileID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func parseTile(m *httpapi.Members) Tile {
	m.Require("id", "kind", "x", "y", "w", "h")
	t := Tile{
		ID: word(m, "id", "1 to 40 letters, digits, _ and -", tileID.MatchString), Kind: word(m, "kind", "one of "+strings.Join(kinds, ", "), isKind),
		X: number(m, "x", 0, columns-1), Y: number(m, "y", 0, maxRow), W: number(m, "w", 1, columns), H: number(m, "h", 1, maxHeight),
		Title: text(m, "title", maxTitleRunes, false), Range: text(m, "range", maxRangeRunes, false), Text: text(m, "text", maxTextRunes, true),
		Series: parseSeries(m), Selection: parseSelection(m), Options: parseOptions(m),
	}
	if t.X+t.W > columns {
		m.Faults.Add("w", "must end within the %d columns: x and w are at most that together", columns)
	}
	if t.Kind == note && (t.Series != nil || t.Selection != nil) {
		m.Faults.Add("kind", "must not be note where series are shown")
	}
	if t.Kind != note && t.Text != "" {
		m.Faults.Add("text", "is a note's alone")
	}
	if t.Series != nil && t.Selection != nil {
		m.Faults.Add("selection", "must not be given together with series")
	}
	return t
}

func isKind(text string) bool { return slices.Contains(kinds, text) }

func parseSeries(m *httpapi.Members) []Series {
	list := httpapi.Take[[]json.RawMessage](m, "series", "an array of series")
	if list == nil || len(*list) == 0 {
		return nil
	}
	if len(*list) > maxSeries {
		m.Faults.Add("series", "must have at most %d entries", maxSeries)
		return nil
	}
	all := make([]Series, len(*list))
	for i, raw := range *list {
		within(m, fmt.Sprintf("series[%d]", i), raw, func(m *httpapi.Members) {
			m.Require("device", "metric")
			all[i] = Series{Device: named(m, "device", devices.ValidateID), Metric: named(m, "metric", devices.ValidateMetric)}
		})
	}
	return all
}

func parseSelection(m *httpapi.Members) *Selection {
	raw := m.TakeRaw("selection")
	if raw == nil {
		return nil
	}
	var s Selection
	within(m, "selection", raw, func(m *httpapi.Members) {
		m.Require("metric")
		s = Selection{
			Tag: named(m, "tag", devices.ValidateTag), Device: named(m, "device", validatePattern), Metric: named(m, "metric", devices.ValidateMetric),
		}
		if (s.Tag == "") == (s.Device == "") && m.Faults.Empty() {
			m.Faults.Add("tag", "must be given, or device instead")
		}
	})
	return &s
}

// validatePattern returns nil for a device id or a pattern.
func validatePattern(text string) error {
	if glob.Is(text) {
		return glob.Check(text)
	}
	return devices.ValidateID(text)
}

func parseOptions(m *httpapi.Members) map[string]any {
	options := httpapi.Take[map[string]any](m, "options", "an object")
	if options == nil || len(*options) == 0 {
		return nil
	}
	if len(*options) > maxOptions {
		m.Faults.Add("options", "must have at most %d members", maxOptions)
	}
	for name, value := range *options {
		words, isText := value.(string)
		_, isNumber := value.(float64)
		_, isBool := value.(bool)
		if !tileID.MatchString(name) || !isText && !isNumber && !isBool || isText && !printable(words, maxOptionRunes, false) {
			m.Faults.Add("options", "must hold numbers, booleans and texts of at most %d characters, by names of at most 40 letters, digits, _ and -", maxOptionRunes)
			break
		}
	}
	return *options
}

// within reads an object inside another one. What is noted there is noted outside, with the name in front.
func within(outer *httpapi.Members, name string, raw json.RawMessage, read func(*httpapi.Members)) {
	m, ok := httpapi.MembersOf(raw)
	if !ok {
		outer.Faults.Add(name, "must be an object")
		return
	}
	read(m)
	m.Unknown()
	outer.Faults.IncludeWithin(name, m.Faults.Err())
}

// text takes a text, which may be empty or absent.
func text(m *httpapi.Members, name string, most int, lines bool) string {
	given := httpapi.Take[string](m, name, "a text")
	if given == nil {
		return ""
	}
	if !printable(*given, most, lines) {
		m.Faults.Add(name, "must be printable, of at most %d characters", most)
	}
	return *given
}

// printable reports whether a text can be shown: no control characters, but for ends of lines and tabs where there may be lines.
func printable(text string, most int, lines bool) bool {
	return utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsGraphic(r) && !(lines && (r == '\n' || r == '\r' || r == '\t'))
	})
}

// word takes a text that is of a certain kind.
func word(m *httpapi.Members, name, wanted string, good func(string) bool) string {
	given := httpapi.Take[string](m, name, wanted)
	if given == nil {
		return ""
	}
	if !good(*given) {
		m.Faults.Add(name, "must be %s", wanted)
	}
	return *given
}

// named takes a name that the function given accepts, or says why not.
func named(m *httpapi.Members, name string, validate func(string) error) string {
	given := httpapi.Take[string](m, name, "a text")
	if given == nil {
		return ""
	}
	if err := validate(*given); err != nil {
		m.Faults.Add(name, "%s", err.Error())
	}
	return *given
}

func number(m *httpapi.Members, name string, least, most int) int {
	wanted := fmt.Sprintf("a whole number from %d to %d", least, most)
	given := httpapi.Take[int](m, name, wanted)
	if given == nil {
		return least
	}
	if *given < least || *given > most {
		m.Faults.Add(name, "must be %s", wanted)
		return least
	}
	return *given
}

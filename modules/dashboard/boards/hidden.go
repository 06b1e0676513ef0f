package boards

import (
	"fmt"
	"slices"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
	"telltale/platform/glob"
)

// coverage is what a principal may know the names of.
type coverage struct {
	devices  *glob.Set // nil for all of them
	patterns []string
}

func coverageOf(p access.Principal) coverage { return coverage{p.Covers(), p.Devices} }

func (c coverage) hasSeries(s Series) bool { return c.devices == nil || c.devices.Has(s.Device) }

// hasSelection reports whether the principal may know of the selection. A tag names no device. A pattern is shown to those who
// cover all that it can match, and to those whose own devices are among that: others would learn how devices are called that they
// do not see.
func (c coverage) hasSelection(s *Selection) bool {
	if c.devices == nil || s.Device == "" || !glob.Is(s.Device) && c.devices.Has(s.Device) {
		return true
	}
	return glob.Is(s.Device) && slices.ContainsFunc(c.patterns, func(own string) bool {
		return glob.Subsumes(own, s.Device) || glob.Subsumes(s.Device, own)
	})
}

// visibleTo returns the board without the series that the principal may not know of. A tile that loses all it shows goes too: its
// title would tell what was there.
func visibleTo(who access.Principal, board Board) Board {
	covers := coverageOf(who)
	shown := make([]Tile, 0, len(board.Document.Tiles))
	for _, tile := range board.Document.Tiles {
		before := len(tile.Series)
		tile.Series = slices.DeleteFunc(slices.Clone(tile.Series), func(s Series) bool { return !covers.hasSeries(s) })
		lost := before - len(tile.Series)
		if tile.Selection != nil && !covers.hasSelection(tile.Selection) {
			tile.Selection = nil
			lost++
		}
		board.LeftOut += lost
		if lost == 0 || len(tile.Series) > 0 {
			shown = append(shown, tile)
		}
	}
	board.Document.Tiles = shown
	return board
}

// coversAll returns an Invalid fault that names the series of devices which the principal does not cover. Kept, they could be
// neither seen nor changed by who has put them there.
func coversAll(who access.Principal, doc Document) error {
	covers := coverageOf(who)
	var wrong fault.Fields
	for i, tile := range doc.Tiles {
		for j, s := range tile.Series {
			if !covers.hasSeries(s) {
				wrong.Add(fmt.Sprintf("document.tiles[%d].series[%d].device", i, j), "is not among the devices that your credentials cover")
			}
		}
		if tile.Selection != nil && !covers.hasSelection(tile.Selection) {
			wrong.Add(fmt.Sprintf("document.tiles[%d].selection.device", i), "is not among the devices that your credentials cover")
		}
	}
	return wrong.Err()
}

package batchlog

import (
	"slices"

	"telltale/modules/readings/deletion"
)

// addMasks hides what a batch has deleted. The caller holds mu.
func (w *Window) addMasks(b *Batch) {
	if b.Deletion == nil || b.Seq <= w.folded {
		return
	}
	if w.masks == nil {
		w.masks = map[int32][]deletion.Mask{}
	}
	for _, id := range b.Deletion.Series {
		// Views of the shorter slice may be in use; they do not see what is behind its end.
		w.masks[id] = append(w.masks[id], deletion.Mask{Seq: b.Seq, From: b.Deletion.From, To: b.Deletion.To})
	}
	w.masked += len(b.Deletion.Series)
}

// forgetMasks forgets the deletions that are carried out in chunks: those up to folded. The caller holds mu.
func (w *Window) forgetMasks() {
	w.masked = 0
	for id, masks := range w.masks {
		left := deletion.After(masks, w.folded)
		if len(left) == 0 {
			delete(w.masks, id)
			continue
		}
		w.masks[id] = slices.Clone(left)
		w.masked += len(left)
	}
}

// masksOf captures the masks of series; nil when none of them has any. The caller holds mu.
func (w *Window) masksOf(series []int32) [][]deletion.Mask {
	if len(w.masks) == 0 {
		return nil
	}
	var all [][]deletion.Mask
	for i, id := range series {
		if masks := w.masks[id]; len(masks) > 0 {
			if all == nil {
				all = make([][]deletion.Mask, len(series))
			}
			all[i] = masks
		}
	}
	return all
}

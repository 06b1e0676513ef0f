package batchlog

import (
	"context"
	"slices"

	"telltale/modules/readings/deletion"
	"telltale/modules/series"
)

// retract has the registry know what is the newest reading of each series once a batch has deleted some. The window has
// not applied the batch yet.
func (t *Tail) retract(ctx context.Context, b *Batch) error {
	t.registry.Deleted(b.Stamp()) // before it is asked: what is being looked up may be newest in a moment
	ids := t.registry.Within(b.Deletion.Series, b.Deletion.From, b.Deletion.To)
	if len(ids) == 0 {
		return nil
	}
	searches := make([]*deletion.Search, len(ids))
	recent, horizon := t.window.View(ids), t.registry.Horizon()
	for i, id := range ids {
		s := deletion.NewSearch(id, horizon, append(slices.Clip(recent.Hidden(i, 0)), deletion.Mask{Seq: b.Seq, From: b.Deletion.From, To: b.Deletion.To})...)
		for _, r := range recent.shown(recent.Between(i, recent.Folded, recent.Head), s.Masks) {
			if b, k := recent.batches[r.seq()-recent.first], r.index(); b.TS[k] >= s.Left.TS && b.TS[k] <= horizon {
				s.Left.TS, s.Left.Value = b.TS[k], b.Value[k]
			}
		}
		searches[i] = s
	}
	if err := deletion.SearchBack(ctx, t.db, searches); err != nil {
		return err
	}
	left := make([]series.Newest, len(searches))
	for i, s := range searches {
		left[i] = s.Left
	}
	t.registry.Retract(b.Stamp(), left)
	return nil
}

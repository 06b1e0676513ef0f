package livebucket

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"telltale/modules/readings/history"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/deletion"
	"telltale/modules/series"
	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/event"
)

// fakeLog is a window of batches about the series 1, the metric m of the device a, and 2, of the device b.
type fakeLog []*batchlog.Batch

func (l fakeLog) Head() int64 { return l[len(l)-1].Stamp() }

func (l fakeLog) Next(stamp int64) ([]*batchlog.Batch, <-chan struct{}, bool) {
	for i, b := range l {
		if b.Stamp() > stamp {
			return l[i:], nil, true
		}
	}
	return nil, nil, true
}

func (l fakeLog) ByID(id int32) (series.Series, bool) {
	return series.Series{ID: id, Device: string('a' + id - 1), Metric: "m"}, true
}

const minute = int64(time.Minute / time.Millisecond)

// late has a reading of a series in each of the minutes of 1970.
func late(stamp int64, id int32, minutes ...int64) *batchlog.Batch {
	b := &batchlog.Batch{Seq: stamp, CommittedAt: time.UnixMicro(stamp)}
	for _, m := range minutes {
		b.Series, b.TS, b.Value = append(b.Series, id), append(b.TS, m*minute+1), append(b.Value, 1)
	}
	return b
}

func deleted(stamp, from, to int64, ids ...int32) *batchlog.Batch {
	return &batchlog.Batch{Seq: stamp, CommittedAt: time.UnixMicro(stamp), Deletion: &deletion.Marker{Series: ids, From: from, To: to}}
}

// asked is a stretch of minutes that history is asked for.
type asked struct{ from, to int64 }

// flushOf makes a flush for a viewer that has got the minutes up to 100, from a log, at a time at which minute 102 is closed.
func flushOf(t *testing.T, log fakeLog, change func(*Limits)) (f *Flush, questions []asked) {
	t.Helper()
	limits := Defaults()
	limits.Now = func() time.Time { return time.UnixMilli(102 * minute).Add(limits.Grace) }
	change(&limits)
	ask := func(ctx context.Context, who access.Principal, q history.Query, rows *Rows) error {
		questions = append(questions, asked{q.From / minute, q.To / minute})
		return answer(ctx, who, q, rows)
	}
	m := NewMaker(Sources{History: ask, Window: log, Names: log, Budget: budget.NewBytes(1 << 20)}, limits)
	f, _, err := m.Flush(t.Context(), questionAbout(t, "a"), Point{Position: event.Position{Stamp: 1, Until: 100 * minute}})
	require.NoError(t, err)
	return f, questions
}

func same(*Limits) {}

// lines returns the events of a flush in short: "id kind minute", a gap with its reason and range.
func lines(f *Flush) (short []string) {
	for _, text := range strings.Split(strings.TrimSuffix(string(f.text), "\n\n"), "\n\n") {
		var id, kind, what string
		for _, line := range strings.Split(text, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "id":
				id = value + " "
			case "event":
				kind = value
			case "data":
				what = value
			}
		}
		if _, ts, ok := strings.Cut(what, `"ts":"1970-01-01T`); ok {
			what = ts[:5]
		} else if _, reason, ok := strings.Cut(what, `"reason":"`); ok {
			what, _, _ = strings.Cut(reason, `"`)
		}
		short = append(short, id+kind+" "+what)
	}
	return short
}

func TestFlush_HasTheBucketsThatHaveClosedAndThoseThatChanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		log    fakeLog
		change func(*Limits)
		asked  []asked
		want   []string
		gaps   int
	}{
		"only what has closed": {
			fakeLog{late(9, 1, 100)},
			same,
			[]asked{{100, 102}},
			[]string{"9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			0,
		},
		"late readings": {
			fakeLog{late(9, 1, 5)},
			same,
			[]asked{{5, 6}, {100, 102}},
			[]string{"9@6000000 bucket 00:05", "9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			0,
		},
		"late readings far apart": {
			fakeLog{late(9, 1, 5, 6, 50)},
			same,
			[]asked{{5, 7}, {50, 51}, {100, 102}},
			[]string{"bucket 00:05", "bucket 00:06", "9@6000000 bucket 00:50", "9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			0,
		},
		"late readings of another device": {
			fakeLog{late(9, 2, 5)},
			same,
			[]asked{{100, 102}},
			[]string{"9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			0,
		},
		"more late buckets than are told": {
			fakeLog{late(9, 1, 5, 7)},
			func(l *Limits) { l.Late = 1 },
			[]asked{{100, 102}},
			[]string{"gap limit", "9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			1,
		},
		"a deletion of whole buckets": {
			fakeLog{deleted(9, 5*minute, 7*minute, 1)},
			same,
			[]asked{{100, 102}},
			[]string{"gap deleted", "9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			1,
		},
		"a deletion that cuts two buckets": {
			fakeLog{deleted(9, 5*minute+1, 7*minute-1, 1)},
			same,
			[]asked{{5, 7}, {100, 102}},
			[]string{"gap deleted", "bucket 00:05", "9@6000000 bucket 00:06", "9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			1,
		},
		"a deletion of another device": {
			fakeLog{deleted(9, 5*minute, 7*minute, 2)},
			same,
			[]asked{{100, 102}},
			[]string{"9@6060000 bucket 01:40", "9@6120000 bucket 01:41"},
			0,
		},
		"a part of the log": {
			fakeLog{late(8, 1, 5), late(9, 1, 7)},
			func(l *Limits) { l.Look = 1 },
			[]asked{{5, 6}, {100, 102}},
			[]string{"8@6000000 bucket 00:05", "8@6060000 bucket 01:40", "8@6120000 bucket 01:41"},
			0,
		},
		"fewer rows than have closed": {
			fakeLog{late(9, 1, 100)},
			func(l *Limits) { l.Rows = 1 },
			[]asked{{100, 102}, {100, 101}},
			[]string{"9@6060000 bucket 01:40"},
			0,
		},
		"further behind than is sent": {
			fakeLog{late(9, 1, 100)},
			func(l *Limits) { l.Behind = 1 }, nil,
			[]string{"9@6120000 gap limit"},
			1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, questions := flushOf(t, c.log, c.change)
			require.Equal(t, c.want, lines(f))
			require.Equal(t, c.asked, questions)
			require.Equal(t, c.gaps, f.Gaps)
			last, _, _ := strings.Cut(c.want[len(c.want)-1], " ")
			require.Equal(t, last, f.To.String())
			require.Equal(t, f.To.Stamp < c.log.Head() || f.To.Until < 102*minute, f.More)
		})
	}
}

func TestText_GoesOutInPiecesThatEndWhereEventsDo(t *testing.T) {
	t.Parallel()
	freed := 0
	f := &Flush{To: event.Position{Stamp: 9}, users: 1, free: func() { freed++ }}
	for i := range 500 {
		f.text = fmt.Appendf(f.text, "event: bucket\ndata: %d%s\n\n", i, strings.Repeat("x", i%200))
	}
	left := TextOf(f)
	var all []byte
	events, pieces := 0, 0
	for !left.Done() {
		piece, n := left.Append(nil)
		require.True(t, strings.HasSuffix(string(piece), "\n\n"))
		require.Less(t, len(piece), pieceBytes+300)
		all, events, pieces = append(all, piece...), events+n, pieces+1
	}
	require.Equal(t, string(f.text), string(all))
	require.Equal(t, 500, events)
	require.Greater(t, pieces, 1)
	require.Equal(t, f.To, left.At())
	left.Free()
	require.Equal(t, 1, freed)
}

func TestQuestion_IsSharedByThoseThatAskAndMaySeeTheSame(t *testing.T) {
	t.Parallel()
	a := questionAbout(t, "a")
	require.Equal(t, a.key, questionAbout(t, "a").key)
	require.NotEqual(t, a.key, questionAbout(t, "b").key)
	narrow := *a.request
	narrow.Principal.Scopes, narrow.Principal.Devices = nil, []string{"a"}
	require.NotEqual(t, a.key, NewQuestion(&narrow, a.filter).key, "it may see less")
	other := *a.request
	other.Principal.Subject = "another, who may see the same"
	require.Equal(t, a.key, NewQuestion(&other, a.filter).key)
}

func TestMaker_ClosesABucketAGraceAfterItsEnd(t *testing.T) {
	t.Parallel()
	limits := Defaults()
	now := time.UnixMilli(10 * minute)
	limits.Now = func() time.Time { return now }
	m, q := NewMaker(Sources{}, limits), questionAbout(t, "a")
	require.Equal(t, 9*minute, m.Closed(q))
	require.Equal(t, limits.Grace, m.Wait(q, 9*minute))
	now = now.Add(limits.Grace)
	require.Equal(t, 10*minute, m.Closed(q))
	require.Zero(t, m.Wait(q, 9*minute))
}

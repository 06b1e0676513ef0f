package readings_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// seeds is how many random runs there are: four, or as TELLTALE_SEEDS says (see task model).
func seeds(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("TELLTALE_SEEDS")
	if text == "" {
		return 4
	}
	n, err := strconv.ParseUint(text, 10, 32)
	require.NoError(t, err)
	return n
}

// TestModel_TheEngineAgrees has two instances on one database do random things: append (late, repeated, corrected, in
// any order), fold, pack, forget readings older than their retention, delete devices, restart, and lose their database between any
// two statements. Queries under way meanwhile see what was before or what is after; when it is over, every kind of query
// is compared.
func TestModel_TheEngineAgrees(t *testing.T) {
	t.Parallel()
	for seed := range seeds(t) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := newModelRun(t, seed)
			for n := range 80 {
				if n == 30 && r.model.general == 0 {
					r.leap()
				}
				r.step(t)
				r.check(t)
			}
			r.checkTables(t)
			if r.model.general == 0 {
				r.checkYear(t)
			}
			require.Positive(t, r.notModified)
			require.Positive(t, r.cuts)
			require.Positive(t, r.forecasts)
			t.Logf("%d cuts, after which %d changes stood that were not acknowledged; %d answers while something changed",
				r.cuts, r.stood, r.watched)
		})
	}
}

type modelRun struct {
	functions []string // readings and readings_buckets, as the migrations have made them
	random    *rand.Rand
	model     model
	clock     time.Time    // of whole ms
	ticking   atomic.Int64 // the same, for what runs in the background
	cfg       config.DB
	db        *postgres.DB // past all gates
	instances []*instance
	started   int
	seq       int64 // of the newest batch
	pack      int

	asked                             []asked
	notModified, cuts, stood, watched int
	forecasts                         int // that had not become present when latest readings were compared
}

// instance is an engine whose connections go through a gate.
type instance struct {
	*engine
	gate *gate
	db   *postgres.DB
	stop func()
}

func newModelRun(t *testing.T, seed uint64) *modelRun {
	t.Helper()
	r := &modelRun{random: rand.New(rand.NewPCG(seed, 1)), clock: chunk.UTC(modelStart), cfg: pgtest.Config(t)}
	r.model = model{map[string]map[int64]float64{}, map[string]int{}, []int{0, 9}[r.random.IntN(2)]}
	r.ticking.Store(modelStart)
	r.db = pgtest.Open(t, r.cfg)
	r.pack = []int{4, 40, 5000}[r.random.IntN(3)]
	for _, statement := range []string{setClosed, setRetention} {
		_, err := r.db.Exec(t.Context(), statement, map[string]any{
			setClosed: r.clock.Truncate(24 * time.Hour), setRetention: r.model.general,
		}[statement])
		require.NoError(t, err)
	}
	r.instances = []*instance{r.start(t), r.start(t)}
	return r
}

// start starts an instance that lives by the run's clock.
func (r *modelRun) start(t *testing.T) *instance {
	t.Helper()
	r.started++
	gate, cfg := newGate(t, r.cfg, r.started)
	t.Cleanup(gate.close)
	db := pgtest.Open(t, cfg)
	e, stop := newEngineAt(t, db, r.now, func(limits *config.Readings) { limits.RetentionDays = r.model.general })
	i := &instance{e, gate, db, sync.OnceFunc(func() {
		stop()
		require.NoError(t, db.Stop(context.Background()))
		gate.close()
	})}
	t.Cleanup(i.stop)
	e.FoldWith(func(p *fold.Parts) { p.Pack = r.pack })
	return i
}

// now tells the run's time, also to what runs in the background.
func (r *modelRun) now() time.Time { return chunk.UTC(r.ticking.Load()) }

// leap lets the year pass by so far that its months are to become one partition, into which what comes next is late.
func (r *modelRun) leap() {
	r.clock = time.Date(2027, 2, 2, 0, 0, 0, 0, time.UTC)
	r.ticking.Store(r.clock.UnixMilli())
	r.model.forget(r.clock)
}

// checkYear has the months become one partition, if they have not yet or are past every device's retention, and compares everything
// once more.
func (r *modelRun) checkYear(t *testing.T) {
	t.Helper()
	require.NoError(t, r.instances[0].Runner.CloseDays(t.Context()))
	r.clock = r.clock.Add(2 * time.Hour)
	r.ticking.Store(r.clock.UnixMilli())
	r.model.forget(r.clock)
	require.NoError(t, r.instances[0].Runner.Maintain(t.Context()))
	var names []string // a single month stays one
	for _, p := range monthsOnDisk(t, r.db) {
		if strings.HasPrefix(p.Name, "reading_chunks_2026") {
			names = append(names, p.Name)
		}
	}
	require.LessOrEqual(t, len(names), 1, names)
	r.check(t)
	r.checkTables(t)
}

// modelStart is a day on which clocks change in Berlin, a week before the end of a month.
var modelStart = time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC).UnixMilli()

// step has something happen at one instance while both are asked, and perhaps cuts that instance off in the middle of it.
func (r *modelRun) step(t *testing.T) {
	t.Helper()
	c := r.choose(t)
	after := r.model.clone()
	if c.effect != nil {
		c.effect(after)
		after.forget(r.clock)
	}
	acting := r.random.IntN(2)
	i := r.instances[acting]
	if r.random.IntN(3) == 0 {
		i.gate.arm(1+r.random.IntN(c.statements), r.random.IntN(2) == 0)
	}
	err := r.watch(t, r.query(), after, func() error { return c.do(t.Context(), i.engine) })
	cut := i.gate.disarm()
	if cut {
		r.cuts++
		i.gate.settle(t, r.db)
	} else {
		require.NoError(t, err)
	}
	head := r.head(t)
	if c.effect != nil && (err == nil || head > r.seq) {
		require.Equal(t, r.seq+1, head, "acknowledged is durable")
		r.model = after
		if err != nil {
			r.stood++
		}
	}
	require.LessOrEqual(t, head, r.seq+1)
	r.seq = head
	switch {
	case r.random.IntN(10) == 0 || cut && r.random.IntN(2) == 0:
		i.stop()
		r.instances[acting] = r.start(t)
	case cut:
		i.recover(t)
	}
}

// recover lets an instance that was cut off through again, once it has noticed.
func (i *instance) recover(t *testing.T) {
	t.Helper()
	connected := func() bool { _, err := i.db.Probe().Check(); return err == nil }
	_, err := i.db.Exec(t.Context(), `SELECT`) // for which it notices at once
	require.Error(t, err)
	require.Eventually(t, func() bool { return !connected() }, time.Minute, time.Millisecond)
	i.gate.open()
	require.Eventually(t, connected, time.Minute, time.Millisecond)
	require.Eventually(t, func() bool { _, _ = i.db.Exec(t.Context(), `NOTIFY telltale_log`); return i.Tail.Err() == nil }, time.Minute, time.Millisecond)
}

func (r *modelRun) head(t *testing.T) int64 {
	t.Helper()
	state, err := batchlog.NewLog(r.db).State(t.Context())
	require.NoError(t, err)
	return state.Head
}

// watch asks both instances again and again until do returns: each answer must be the one before do or the one after it, and
// none before it comes behind one after it.
func (r *modelRun) watch(t *testing.T, q history.Query, after model, do func() error) error {
	t.Helper()
	want := []map[string][][]float64{known(r.model.answer(q)), known(after.answer(q))}
	var asking sync.WaitGroup
	over := make(chan struct{})
	counts := make([]int, len(r.instances))
	for k, i := range r.instances {
		asking.Go(func() {
			for seen := 0; ; counts[k]++ {
				got := &collected{Rows: map[string][][]float64{}}
				if err := i.Queries.History(t.Context(), everyone, q, got); err != nil {
					if fault.KindOf(err) != fault.Unavailable {
						t.Errorf("asking instance %d meanwhile: %v", k, err)
					}
					return // it was cut off
				}
				for seen < len(want) && !reflect.DeepEqual(want[seen], known(got.Rows)) {
					seen++
				}
				if seen == len(want) {
					t.Errorf("instance %d answers %v\nto %v, which is neither what was before nor what is after", k, got.Rows, q)
					return
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	err := do()
	close(over)
	asking.Wait()
	for _, n := range counts {
		r.watched += n
	}
	return err
}

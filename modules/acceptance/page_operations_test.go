//go:build e2e

package acceptance

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// An administrator finds the page by searching, sees connections being used and given back, and which variable limits them.
func TestE2EPage_OperationsShowThePoolAtWorkAndTheVariableThatLimitsIt(t *testing.T) {
	t.Parallel()
	db := pgtest.Config(t)
	p := start(t, db)
	p.post(1, 1)
	v := visitSignedIn(t, p)
	v.find(wording(t, "nav.operations"))
	v.awaitPath("/operations")
	v.figures()
	require.Equal(t, len(p.figureNames()), evaluate[int](t, v.tab, `document.querySelectorAll('.figure').length`))
	require.Equal(t, "DB_MAX_CONNECTIONS=20", evaluate[string](t, v.tab, inFigure("pool_in_use", "code")+`.innerText`))
	require.Contains(t, evaluate[string](t, v.tab, inFigure("pool_in_use", ".limit")+`.innerText`), "20")
	const shows = `Number(%s.innerText)`
	inUse := fmt.Sprintf(shows, inFigure("pool_in_use", "output"))
	const queries = 3
	release := p.holdQueries(queries, pgtest.Connect(t, db))
	v.await(t, fmt.Sprintf(`%s >= %d`, inUse, queries))
	v.shoot("operations-at-work")
	release()
	v.await(t, fmt.Sprintf(`%s < %d`, inUse, queries))
	v.await(t, fmt.Sprintf(shows, inFigure("history_p95", "output"))+` > 0`)
}

// Who is no administrator is not led to the page, and is told why there is nothing on it; the server is not asked.
func TestE2EPage_OperationsAreForAdministratorsAlone(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.person("viewer", []string{"devices:read", "readings:read"}, nil)
	v := visitAs(t, p, "viewer")
	name := wording(t, "nav.operations")
	require.Zero(t, evaluate[int](t, v.tab, `document.querySelectorAll('a[href="/operations"]').length`))
	v.write(`document.querySelector('.search input')`, name)
	v.see(wording(t, "search.nothing"))
	v.at("/operations")
	v.see(wording(t, "operations.forbidden"))
	require.Zero(t, evaluate[int](t, v.tab, `document.querySelectorAll('.figure').length`))
	require.Empty(t, evaluate[[]string](t, v.tab, `performance.getEntriesByType('resource').map((e) => e.name).filter((name) => name.includes('/api/operations'))`))
}

// find searches the page for the text and takes what is found first.
func (v *visitor) find(text string) {
	v.t.Helper()
	v.write(`document.querySelector('.search input')`, text)
	v.await(v.t, named("option", wording(v.t, "search.kinds.page"))+`.some((e) => e.innerText.includes(`+quote(text)+`))`)
	require.NoError(v.t, v.do(chromedp.KeyEvent("\r")))
}

// figures waits until the page of operations shows figures with lines: of a rate there is none before the second sample.
func (v *visitor) figures() {
	v.t.Helper()
	v.await(v.t, `document.querySelector('#figure-http_requests .trend .line')?.getAttribute('d')`)
}

// inFigure is an expression for what the selector finds in a figure of the page of operations.
func inFigure(name, selector string) string {
	return `document.querySelector(` + quote("#figure-"+name+" "+selector) + `)`
}

func (p *program) figureNames() []string {
	p.t.Helper()
	var answer struct{ Figures []struct{ Name string } }
	p.call("GET", "/api/operations", "", "", &answer)
	names := make([]string, len(answer.Figures))
	for i, figure := range answer.Figures {
		names[i] = figure.Name
	}
	return names
}

// holdQueries has as many history queries wait in the database, each with its connection, until they are released.
func (p *program) holdQueries(n int, admin *pgx.Conn) (release func()) {
	p.t.Helper()
	tx, err := admin.Begin(context.Background())
	require.NoError(p.t, err)
	_, err = tx.Exec(context.Background(), `LOCK TABLE reading_chunks IN ACCESS EXCLUSIVE MODE`)
	require.NoError(p.t, err)
	ctx, cancel := context.WithCancel(p.t.Context())
	var waiting sync.WaitGroup
	for range n {
		waiting.Go(func() {
			for ctx.Err() == nil { // a query is given up when it has waited for long
				_, _, _ = p.try("GET", "/api/readings?device=a&from=0&to=1793491200000", "", nil)
			}
		})
	}
	return func() {
		cancel()
		require.NoError(p.t, tx.Rollback(context.Background()))
		waiting.Wait()
	}
}

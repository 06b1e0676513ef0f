//go:build e2e

package acceptance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// operations returns the method and path of each operation, in capitals, and its summary.
func (p *program) operations() map[string]string {
	all := map[string]string{}
	for path, item := range p.contract().Doc.Paths.Map() {
		for method, operation := range item.Operations() {
			all[method+" "+path] = operation.Summary
		}
	}
	return all
}

// requireOnlyAt checks that the page sent requests to the server alone, and logged no error.
func (b *tab) requireOnlyAt(t *testing.T, p *program) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(t, map[string]bool{strings.TrimPrefix(p.url, "http://"): true}, b.hosts)
	require.Greater(t, b.requests, 2, "page, script and document at least")
	require.Empty(t, b.errors)
}

func TestE2ESwaggerUI_ShowsEveryOperationAndRunsThem(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	b := browse(t)
	b.open(t, p.url+"/api/docs")
	b.await(t, fmt.Sprintf(`document.querySelectorAll('.opblock').length >= %d`, len(p.operations())))
	shown := map[string]string{}
	for _, operation := range evaluate[[][]string](t, b, `[...document.querySelectorAll('.opblock')].map((o) => [
		o.querySelector('.opblock-summary-method').textContent,
		o.querySelector('.opblock-summary-path').dataset.path,
		o.querySelector('.opblock-summary-description').textContent])`) {
		shown[operation[0]+" "+operation[1]] = operation[2]
	}
	require.Equal(t, p.operations(), shown)

	require.NoError(t, b.do(
		chromedp.Click(`.authorize`),
		chromedp.SendKeys(`.modal-ux input[aria-label="auth-bearer-value"]`, p.token),
		chromedp.Click(`.modal-ux button.authorize`),
		chromedp.Click(`.modal-ux button.btn-done`),
		chromedp.Click(`#operations-auth-getMe .opblock-summary-control`),
		chromedp.Click(`#operations-auth-getMe .try-out__btn`),
		chromedp.Click(`#operations-auth-getMe .execute`),
		chromedp.WaitVisible(`#operations-auth-getMe .live-responses-table .response`),
	))
	answer := evaluate[string](t, b, `document.querySelector('#operations-auth-getMe .live-responses-table .response code').textContent`)
	var me struct{ Subject string }
	require.NoError(t, json.Unmarshal([]byte(answer), &me), answer)
	require.Equal(t, "admin", me.Subject)
	b.requireOnlyAt(t, p)
}

func TestE2EReDoc_ShowsEveryOperation(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	b := browse(t)
	b.open(t, p.url+"/api/redoc")
	b.await(t, fmt.Sprintf(`document.querySelectorAll('[data-section-id*="/operation/"] h2').length >= %d`, len(p.operations())))
	summaries := []string{}
	for _, summary := range p.operations() {
		summaries = append(summaries, summary)
	}
	require.ElementsMatch(t, summaries, evaluate[[]string](t, b,
		`[...document.querySelectorAll('[data-section-id*="/operation/"] h2')].map((h) => h.textContent.trim())`))
	b.requireOnlyAt(t, p)
}

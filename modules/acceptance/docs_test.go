package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Snippets of the pages run as they are printed. The word behind a fence's language says how:
//
//	sh            in the page's session of bash; it must succeed
//	sh fails      likewise; it may fail
//	sh server     in the background, in place of the server that ran before
//	sh serve      in the background, until it can be connected to
//	sh follow     in the background, until it has printed an event
//	… answer      what the snippet before has printed, in part: numbers may differ, and … is any text
//	python, sql   by python3 and psql, in the same session
//	html, js      in Chromium
//
// A page without a server of its own is given one. Ports and what can only be had elsewhere are replaced.

// notRun are the snippets that do not run here, by language or by text, and what holds them instead.
var notRun = map[string]string{
	"":        "a drawing",
	"mermaid": "a drawing",
	"nginx":   "TestE2EProxies runs it",
	"haproxy": "TestE2EProxies runs it",
	"caddy":   "TestE2EProxies runs it",
	"apache":  "TestE2EProxies runs it",
	"vcl":     "TestE2EProxies runs it",
	"toml":    "needs Telegraf: the test of the page posts to the same address with the same token",
	"ini":     "needs systemd as the first process",
	"cpp":     "needs an ESP32: TestDocs_TheSketchPostsWhatTheServerTakes posts the body that it builds",
	"answer":  "TestE2EDocs_EachPageRunsAsPrinted compares it with what the snippet before prints",
	"sh":      "TestE2EDocs_EachPageRunsAsPrinted runs it",
	"sql":     "TestE2EDocs_EachPageRunsAsPrinted runs it",
	"grafana": "TestSQLRole_ReadsReadingsAndNothingElse runs it with Grafana's macros replaced",
	"python":  "TestE2EDocs_EachPageRunsAsPrinted runs it",
	"html":    "TestE2EDocs_ThePageJoinsHistoryAndStream opens it",
	"js":      "TestE2EDocs_EachPageRunsAsPrinted runs it",
}

// commandsNotRun are those of the shell.
var commandsNotRun = map[string]string{
	"go test ./...":             "is what runs this test",
	"docker compose up --build": "the tests in .ci/packaging run it",
	"go test -short ./...":      "is a part of what runs this test",
}

// snippet is a fenced block of a page.
type snippet struct {
	language, mark string
	text           string
	line           int
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*)(?: ([a-z]+))?\n(.*?)^```$")

// snippets returns the fenced blocks of a page of the repository.
func snippets(t testing.TB, page string) (found []snippet) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", page))
	require.NoError(t, err)
	text := string(content)
	for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
		s := snippet{language: text[at[2]:at[3]], text: text[at[6]:at[7]], line: 1 + strings.Count(text[:at[0]], "\n")}
		if at[4] >= 0 {
			s.mark = text[at[4]:at[5]]
		}
		if s.mark == "answer" {
			s.language = "answer"
		}
		found = append(found, s)
	}
	require.Equal(t, 2*len(found), strings.Count("\n"+text, "\n```"), "a fence of %s is not closed, or its mark cannot be read", page)
	return found
}

// docPages returns the pages with snippets.
func docPages(t testing.TB) []string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	for i, page := range pages {
		pages[i] = strings.TrimPrefix(page, "../../")
	}
	return append(pages, "README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
}

func TestDocs_EachSnippetIsRunOrHeldOtherwise(t *testing.T) {
	t.Parallel()
	for _, page := range docPages(t) {
		for _, s := range snippets(t, page) {
			require.Contains(t, notRun, s.language, "%s:%d: how is this held to be right?", page, s.line)
		}
	}
}

func TestDocs_TheReadmeIsShort(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.Less(t, strings.Count(string(readme), "\n"), 180)
}

func TestDocs_LinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, page := range docPages(t) {
		content, err := os.ReadFile(filepath.Join("../..", page))
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(string(content), -1) {
			_, err := os.Stat(filepath.Join("../..", filepath.Dir(page), link[1]))
			require.NoError(t, err, page)
		}
	}
}

func TestDocs_ThePageOfLivePagesShowsTheFile(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../docs/live.html")
	require.NoError(t, err)
	for _, s := range snippets(t, "docs/live.md") {
		if s.language == "html" {
			require.Equal(t, string(file), s.text)
			return
		}
	}
	require.Fail(t, "docs/live.md does not show live.html")
}

//go:build e2e

package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	browserpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// size is a kind of screen.
type size struct {
	name          string
	width, height int64
	touch         bool
}

var (
	desk   = size{name: "1440x900", width: 1440, height: 900}
	laptop = size{name: "1024x768", width: 1024, height: 768}
	phone  = size{name: "390x844", width: 390, height: 844, touch: true}
)

// on has the page shown on a screen of the size.
func (v *visitor) on(s size) {
	v.t.Helper()
	options := []chromedp.EmulateViewportOption{}
	if s.touch {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	require.NoError(v.t, v.do(chromedp.EmulateViewport(s.width, s.height, options...)))
}

// in has the page shown in a colour scheme, "light" or "dark", and without motion.
func (v *visitor) in(scheme string) {
	v.t.Helper()
	command(v.t, v.tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// shoot keeps a picture of what is to be seen: in the folder TELLTALE_SCREENSHOTS, or else among the artefacts of the test
// (go test -artifacts).
func (v *visitor) shoot(name string) {
	v.t.Helper()
	picture, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	require.NoError(v.t, err)
	dir := os.Getenv("TELLTALE_SCREENSHOTS")
	if dir == "" {
		dir = v.t.ArtifactDir()
	}
	require.NoError(v.t, os.MkdirAll(dir, 0o755))
	require.NoError(v.t, os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600))
}

// requireFitting fails when the page is wider than the screen.
func (v *visitor) requireFitting() {
	v.t.Helper()
	over := evaluate[string](v.t, v.tab, `(() => {
		const wide = document.documentElement.scrollWidth - innerWidth
		if (wide <= 0) return ''
		const out = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
		return wide + ' px too wide: ' + out.slice(0, 5).map((e) => e.tagName + '.' + e.className).join(', ')
	})()`)
	require.Empty(v.t, over, "%s on a phone", v.path())
}

// violation is what axe finds.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target         []any
		HTML           string
		FailureSummary string
	}
}

func (f violation) String() string {
	text := fmt.Sprintf("%s: %s: %s", f.Impact, f.ID, f.Help)
	for _, node := range f.Nodes {
		text += fmt.Sprintf("\n    %v\n        %s\n        %s", node.Target, node.HTML, strings.ReplaceAll(node.FailureSummary, "\n", " "))
	}
	return text
}

// requireAccessible fails for what axe calls serious or critical. It runs in a world of its own, out of the reach of the page and
// of its Content-Security-Policy.
func (v *visitor) requireAccessible(as string) {
	v.t.Helper()
	tree := command(v.t, v.tab, browserpage.GetFrameTree, cdp.Empty{})
	world := command(v.t, v.tab, browserpage.CreateIsolatedWorld, browserpage.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: "axe"})
	in := func(p *runtime.EvaluateParams) { p.ContextID = world.ExecutionContextID }
	_, err := chromedp.Run(v.ctx, chromedp.Evaluate[chromedp.Void](axe(v.t), in))
	require.NoError(v.t, err)
	found, err := chromedp.Run(v.ctx, chromedp.Evaluate[string](
		`axe.run(document, {resultTypes: ['violations']}).then(({violations}) => JSON.stringify(violations))`, in, chromedp.EvalAwaitPromise))
	require.NoError(v.t, err)
	var violations []violation
	require.NoError(v.t, json.Unmarshal([]byte(found), &violations))
	for _, one := range violations {
		if one.Impact == "serious" || one.Impact == "critical" {
			require.Fail(v.t, "not accessible", "%s, %s\n%s", v.path(), as, one)
		}
	}
}

// axe returns the source of axe-core: of the page's checks, where they are installed.
func axe(t *testing.T) string {
	t.Helper()
	script, err := axeSource()
	require.NoError(t, err)
	return script
}

var axeSource = sync.OnceValues(func() (string, error) {
	const web = "../dashboard/web"
	script, err := os.ReadFile(filepath.Join(web, "node_modules/axe-core/axe.min.js"))
	if err == nil {
		return string(script) + "\n;undefined", nil
	}
	dir, err := os.MkdirTemp("", "telltale-axe-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(web, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	install := exec.Command("npm", "ci", "--fetch-retries=5", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	script, err = os.ReadFile(filepath.Join(dir, "node_modules/axe-core/axe.min.js"))
	return string(script) + "\n;undefined", err
})

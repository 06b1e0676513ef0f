package bundle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// vendored stands for what a build of the vendored modules ends with.
var vendored = map[string]string{
	"preact": "var a=1;export{a as html,b as signal,h};",
	"uplot":  "var U=1;export{U as default};",
}

func files(text ...string) fstest.MapFS {
	f := fstest.MapFS{}
	for n := 0; n < len(text); n += 2 {
		f[text[n]] = &fstest.MapFile{Data: []byte(text[n+1])}
	}
	return f
}

func TestLink_WrapsEachModuleOnceInOrder(t *testing.T) {
	t.Parallel()
	got, err := Link(files(
		"js/main.js", "import {html, signal as state} from 'preact';\nimport uPlot from 'uplot';\nimport {\n  load,\n  Chart as Drawn,\n} from './core/api.js';\nimport {limit} from './core/limits.js';\n\nload(limit, uPlot, Drawn, html, state);\n",
		"js/core/api.js", "// The API.\nimport {limit} from './limits.js';\n\n/** Loads. */\nexport async function load() {\n  return limit; // all of it\n}\nexport class Chart {}\n",
		"js/core/limits.js", "export const limit = 100;\n",
	), "js/main.js", vendored)
	require.NoError(t, err)
	require.Equal(t, `import * as $preact from 'preact';
import * as $uplot from 'uplot';
const $core_limits = (() => {
const limit = 100;

return {limit};
})();
const $core_api = (() => {

const {limit} = $core_limits;

 
 async function load() {
  return limit;  
}
 class Chart {}

return {load, Chart};
})();
(() => {
const {html, signal: state} = $preact;
const {default: uPlot} = $uplot;
const {load, Chart: Drawn} = $core_api;



const {limit} = $core_limits;

load(limit, uPlot, Drawn, html, state);

})();
`, got)
}

// What looks like an import or an export, and is none.
func TestLink_LeavesWhatOnlyLooksLikeAnImportAlone(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"a string":                "const a = \"import {x} from './y.js'\", b = 'it\\'s export';",
		"a template":              "const a = `\nimport {x} from './y.js';\nexport default 1;\n`;",
		"a template within one":   "const a = `\n${b(`\nexport {c};\n${{export: 1}.export}\n`)}\nimport {x} from './y.js';\n`;",
		"a backslash in one":      "const a = `\\`\nimport {x} from 'y';\n\\${`;",
		"a comment":               "/*\nimport {x} from './y.js';\n*/ // import('z')\n/** @typedef {import('./y.js').Y} Y */",
		"a regular expression":    "const a = /['\"`]/, b = 4 / 2 / 1, c = x.match(/[/`]import/g);\nconst d = (1) / 2 + `'`;",
		"a slash behind ++":       "let n = 1;\nconst a = n++ / 2, b = \"/\";",
		"a slash behind a name":   "const a = b.return / 2, c = '/';",
		"keys of an object":       "const a = {import: 1, export: 2};\nconst b = a.import + a.export + a?.import;",
		"names that begin alike":  "const importing = 1, exported = 2, $import = 3;",
		"a member called import":  "a\n  .import('x');",
		"a regexp behind a brace": "const a = b => { return /`/.test(b); };",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Link(files("js/main.js", src), "js/main.js", vendored)
			require.NoError(t, err)
			if !strings.Contains(name, "comment") {
				require.Equal(t, "(() => {\n"+src+"\n})();\n", got)
			}
		})
	}
}

func TestLink_NamesFileLineAndReasonOfWhatItRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, src, want string }{
		{"a default export", "\nexport default 1;", "js/main.js:2: an export is"},
		{"a list of exports", "const a = 1;\nexport {a};", "js/main.js:2: an export is"},
		{"a re-export", "export * from './a.js';", "js/main.js:1: an export is"},
		{"export let", "export let a = 1;", "js/main.js:1: an export is"},
		{"export of a pattern", "export const {a} = b;", "js/main.js:1: an export is"},
		{"a function without a name", "export async function () {}", "js/main.js:1: an export is"},
		{"an arrow", "export async () => {};", "js/main.js:1: an export is"},
		{"a name exported twice", "export const a = 1;\nexport const a = 2;", "js/main.js:2: a is exported twice"},
		{"an export in a line", "const a = 1; export const b = 2;", "js/main.js:1: export has to stand at the beginning of a line"},
		{"an import in a line", "  import {a} from './a.js';", "js/main.js:1: import has to stand at the beginning of a line"},
		{"a late import", "f();\nimport {a} from './a.js';", "js/main.js:2: imports have to stand before everything else"},
		{"import()", "const a = () => {\n  return import('./a.js');\n};", "js/main.js:2: import() is not for the page"},
		{"import.meta", "const a = import.meta.url;", "js/main.js:1: import.meta is not known"},
		{"a star", "import * as a from './a.js';", "js/main.js:1: an import is {names}"},
		{"for its effects", "import './a.js';", "js/main.js:1: an import is {names}"},
		{"nothing", "import {} from './a.js';", "js/main.js:1: an import has to name something"},
		{"a string for a name", "import {'a' as b} from './a.js';", "js/main.js:1: an import names what it takes"},
		{"two names without comma", "import {\n  a b\n} from './a.js';", "js/main.js:2: an import names what it takes"},
		{"no from", "import {a};", "js/main.js:1: an import ends with from"},
		{"a default and names", "import uPlot, {a} from 'uplot';", "js/main.js:1: an import is {names}"},
		{"a cut import", "import {a", "js/main.js:1: the file ends while '{' is open"},
		{"an unknown bare name", "import {h} from 'react';", `js/main.js:1: "react" is neither a path`},
		{"a name that preact has not", "import {h, memo} from 'preact';", "js/main.js:1: preact exports no memo, only: html, signal, h"},
		{"a name that a file has not", "\nimport {a, c} from './a.js';", "js/main.js:2: ./a.js exports no c, only: a"},
		{"a default that a file has not", "import a from './a.js';", "js/main.js:1: ./a.js exports no default"},
		{"no such file", "import {a} from './b.js';", "js/main.js:1: there is no file js/b.js"},
		{"a way out", "import {a} from '../../b.js';", `js/main.js:1: "../../b.js" is no .js file of the page`},
		{"another kind of file", "import {a} from './a.json';", `js/main.js:1: "./a.json" is no .js file of the page`},
		{"a circle", "import {b} from './round.js';\nexport const c = 1;", "js/round.js:2: modules import each other in a circle: js/main.js → js/round.js → js/main.js"},
		{"itself", "import {a} from './main.js';", "js/main.js:1: modules import each other in a circle: js/main.js → js/main.js"},
		{"two files of one name", "import {a} from './a-b.js';\nimport {c} from './a/b.js';", "js/a/b.js:1: its name is too much like that of js/a-b.js"},
		{"an open string", "const a = 'b\n';", "js/main.js:1: a string is not closed"},
		{"an open template", "\nconst a = `b", "js/main.js:2: a template literal is not closed"},
		{"an open comment", "\n\n/* b", "js/main.js:3: a comment is not closed"},
		{"an open regular expression", "const a = /b\n", "js/main.js:1: a regular expression is not closed"},
		{"a bracket too many", "f());", `js/main.js:1: ')' closes nothing`},
		{"a wrong bracket", "f(];", `js/main.js:1: ']' closes nothing`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Link(files(
				"js/main.js", test.src, "js/a.js", "export const a = 1;",
				"js/round.js", "\nimport {c} from './main.js';\nexport const b = c;",
				"js/a-b.js", "export const a = 1;", "js/a/b.js", "export const c = 1;",
			), "js/main.js", vendored)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// Node.js runs what was linked, when there is one: modules see each other's names and none of each other's own.
func TestLink_MakesAModuleThatRuns(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not there, so what was linked is not run")
	}
	got, err := Link(files(
		"js/main.js", "import {greeting, Name as N} from './a.js';\nimport sep from 'sep';\nconst hidden = '!';\nconsole.log(greeting() + sep + new N('x').name + hidden);\n",
		"js/a.js", "const hidden = 'hello';\nexport function greeting() {\n  return hidden.replace(/l+/g, `${'l' /* twice */}l`);\n}\nexport class Name {\n  constructor(name) {\n    this.name = name;\n  }\n}\n",
	), "js/main.js", map[string]string{"sep": "export{s as default};"})
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "node_modules", "sep"), 0o700))
	for name, text := range map[string]string{
		"app.mjs": got, "node_modules/sep/index.mjs": "const s = ' ';\nexport {s as default};", "node_modules/sep/package.json": `{"main": "index.mjs"}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	out, err := exec.CommandContext(t.Context(), node, filepath.Join(folder, "app.mjs")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "hello x!\n", string(out))
}

// The second script has what the first has not, and both see the same modules.
func TestLinkTwo_MakesASecondScriptThatGoesOnFromTheFirst(t *testing.T) {
	t.Parallel()
	first, second, err := LinkTwo(files(
		"js/main.js", "import {counter} from './count.js';\ncounter.n++;\nglobalThis.show = () => console.log(counter.n);\n",
		"js/count.js", "export const counter = {n: 0};\n",
		"js/later.js", "import {counter} from './count.js';\nimport {step} from './step.js';\nimport {h} from 'preact';\ncounter.n += step + h;\nshow();\n",
		"js/step.js", "import {counter} from './count.js';\nexport const step = 10 * counter.n;\n",
	), "js/main.js", "js/later.js", map[string]string{"preact": "export{h};"}, func(first string) string {
		require.NotContains(t, first, "step")
		return "./app.mjs"
	})
	require.NoError(t, err)
	require.Contains(t, first, "export {$count};\n")
	require.NotContains(t, first, "preact", "only the second needs it")
	require.Equal(t, "import {$count} from './app.mjs';\nimport * as $preact from 'preact';\n", second[:strings.Index(second, "const")])
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not there, so what was linked is not run")
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"app.mjs": first, "later.mjs": strings.ReplaceAll(second, "'preact'", "'./preact.mjs'"), "preact.mjs": "export const h = 100;",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	out, err := exec.CommandContext(t.Context(), node, filepath.Join(folder, "later.mjs")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "111\n", string(out))
}

func TestLinkTwo_RefusesWhatLinkRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ main, later, want string }{
		{"import {a} from './b.js';", "", "js/main.js:1: there is no file js/b.js"},
		{"", "import {a} from './main.js';", "js/later.js:1: ./main.js exports no a"},
	} {
		_, _, err := LinkTwo(files("js/main.js", test.main, "js/later.js", test.later), "js/main.js", "js/later.js", vendored, func(string) string { return "" })
		require.ErrorContains(t, err, test.want)
	}
}

// FuzzScan holds the scanner to its promise that tokens follow each other within the text.
func FuzzScan(f *testing.F) {
	f.Add("import {a} from './a.js';\nexport const b = `${a /* x */}` / 2;")
	f.Add("const c = /[/]`/g, d = {e: 'f'};")
	f.Fuzz(func(t *testing.T, src string) {
		tokens, err := scan("a.js", src)
		if err != nil {
			return
		}
		at := 0
		for _, token := range tokens {
			require.GreaterOrEqual(t, token.start, at)
			require.Empty(t, strings.Trim(src[at:token.start], " \t\r\n"))
			require.Greater(t, token.end, token.start)
			at = token.end
		}
		_, _ = parse("a.js", src) // must not panic
	})
}

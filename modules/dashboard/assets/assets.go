// Package assets turns the page's files into what a browser is sent: one style sheet, one script, the vendored modules, and the
// page itself, which names them all by the hash of their content. It serves them compressed, to be cached for a year, under a
// Content-Security-Policy that allows exactly them.
//
// New makes everything once, in memory, from what the program has embedded: no request reads a file or compresses anything.
package assets

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"telltale/modules/dashboard/bundle"
)

// Prefix is the path under which the assets are.
const Prefix = "/assets/"

// Page is the page and its assets.
type Page struct {
	index  file
	policy string
	files  map[string]file // by the name in the path, with the hash
}

// New makes the page of the files: index.html, a template (see fill); style/*.css; js/main.js, js/later.js and js/live/worker.js
// with what they import;
// vendor/*.js and *.css, whose names without an ending are those by which scripts import them; and static/*, served as they
// are. It returns an error for a script that package bundle refuses, and for a template that names what there is not.
func New(files fs.FS) (*Page, error) {
	p := &Page{files: map[string]file{}}
	names := map[string]string{}
	if err := p.addAll(files, names); err != nil {
		return nil, err
	}
	template, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, err
	}
	page, err := fill(string(template), names)
	if err != nil {
		return nil, err
	}
	p.index = newFile("index.html", hashOf([]byte(page)), []byte(page))
	return p, nil
}

// The names that stand for something in the template, besides those of static files.
const (
	style     = ".Style"
	app       = ".App"
	importMap = ".ImportMap"
	worker    = ".Worker"
	later     = ".Later"
)

// appEntry is the page's script, and laterEntry what of it is fetched only when it is needed, if there is any.
const appEntry, laterEntry = "js/main.js", "js/later.js"

// addApp adds the scripts of the page.
func (p *Page) addApp(files fs.FS, vendored, names map[string]string) error {
	if _, err := fs.Stat(files, laterEntry); errors.Is(err, fs.ErrNotExist) {
		script, err := bundle.Link(files, appEntry, vendored)
		if err == nil {
			names[app] = p.add("app.js", []byte(script))
		}
		return err
	}
	_, script, err := bundle.LinkTwo(files, appEntry, laterEntry, vendored, func(first string) string {
		names[app] = p.add("app.js", []byte(first))
		return names[app]
	})
	if err == nil {
		names[later] = p.add("later.js", []byte(script))
	}
	return err
}

// workerEntry is the script that runs apart from the page, in a worker that all tabs share.
const workerEntry = "js/live/worker.js"

// addWorker adds the worker's script, if the page has one. It imports no vendored module: where there is no import left, a
// module is a script as well, which every browser runs in a worker.
func (p *Page) addWorker(files fs.FS, names map[string]string) error {
	if _, err := fs.Stat(files, workerEntry); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	script, err := bundle.Link(files, workerEntry, nil)
	if err != nil {
		return err
	}
	names[worker] = p.add("worker.js", []byte(script))
	return nil
}

// addAll adds every asset, and puts what stands for it in the template into names.
func (p *Page) addAll(files fs.FS, names map[string]string) error {
	sheet, err := joined(files, "vendor/*.css", "style/*.css")
	if err != nil {
		return err
	}
	names[style] = p.add("style.css", []byte(sheet))
	vendored, paths, err := p.addVendored(files)
	if err != nil {
		return err
	}
	if err := p.addApp(files, vendored, names); err != nil {
		return err
	}
	text := mapOf(paths)
	names[importMap] = `<script type="importmap">` + text + `</script>` + preloads(paths)
	p.policy = policy(text)
	if err := p.addWorker(files, names); err != nil {
		return err
	}
	static, err := fs.Glob(files, "static/*")
	if err != nil {
		return err
	}
	for _, name := range static {
		if media[path.Ext(name)] == "" {
			return fmt.Errorf("%s: its media type is not known here", name)
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		names[path.Base(name)] = p.add(path.Base(name), content)
	}
	return nil
}

// addVendored adds the vendored modules, and returns their sources and paths by the names that scripts import.
func (p *Page) addVendored(files fs.FS) (sources, paths map[string]string, err error) {
	names, err := fs.Glob(files, "vendor/*.js")
	if err != nil {
		return nil, nil, err
	}
	sources, paths = map[string]string{}, map[string]string{}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, err
		}
		bare := strings.TrimSuffix(path.Base(name), ".js")
		sources[bare], paths[bare] = string(content), p.add(path.Base(name), content)
	}
	return sources, paths, nil
}

// add keeps the file under a name that says what is in it, and returns its path.
func (p *Page) add(name string, content []byte) string {
	hash, ext := hashOf(content), path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hash + ext
	p.files[hashed] = newFile(hashed, hash, content)
	return Prefix + hashed
}

// joined returns the files that match, one after the other in order of the patterns and then of their names.
func joined(files fs.FS, patterns ...string) (string, error) {
	var all strings.Builder
	for _, pattern := range patterns {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			content, err := fs.ReadFile(files, name)
			if err != nil {
				return "", err
			}
			all.Write(content)
			all.WriteByte('\n')
		}
	}
	return all.String(), nil
}

// mapOf returns the import map.
func mapOf(paths map[string]string) string {
	text, err := json.Marshal(map[string]any{"imports": paths}) // keys in order
	if err != nil {
		panic(err) // a map of strings
	}
	return string(text)
}

// preloads returns the links by which a browser loads the modules before it has read the script that imports them.
func preloads(paths map[string]string) (elements string) {
	for _, path := range slices.Sorted(maps.Values(paths)) {
		elements += "\n    " + `<link rel="modulepreload" href="` + path + `">`
	}
	return elements
}

// fill puts paths into the template: {{.Style}}, {{.App}} and {{.Later}}, {{.ImportMap}} with its element, and {{icon.svg}} for a static
// file. It is no text/template: that would keep every exported method of the program in the binary.
func fill(template string, names map[string]string) (string, error) {
	var page strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{{")
		page.WriteString(before)
		if !found {
			return page.String(), nil
		}
		name, after, _ := strings.Cut(rest, "}}")
		value, ok := names[name]
		if !ok {
			return "", fmt.Errorf("index.html: there is nothing to put in place of {{%.40s}}", name)
		}
		page.WriteString(value)
		template = after
	}
}

// policy allows the page's own assets and API, and the one script that stands in the page: the import map.
func policy(importMap string) string {
	sum := sha256.Sum256([]byte(importMap))
	return "default-src 'none'; script-src 'self' 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"style-src 'self'; worker-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

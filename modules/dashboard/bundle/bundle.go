// Package bundle links the page's ES modules into one, so that a browser loads one file and a developer needs no build; or into two,
// of which the second is for pages that a visit seldom needs.
//
// A module is a file that a browser could load as it is. Imports are static, stand at the beginning of lines before everything
// else, and name what they import; exports are declarations of functions, classes and constants. Bare names are those of vendored
// modules, which stay files of their own. Everything else (default exports, re-exports, import(), cycles, names that no module
// exports) is an error with file and line. Each module becomes the body of a function, which keeps its names apart:
//
//	const $core_api = (() => { … return {api}; })();
package bundle

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// faultAt returns an error about a line of a file.
func faultAt(file string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...))
}

// Link returns the module at the path entry of files, with all those that it needs in front of it, as one ES module without
// comments. Vendored are the sources of the modules that are imported by a bare name, to know what they export.
func Link(files fs.FS, entry string, vendored map[string]string) (string, error) {
	l := newLinker(files, vendored)
	if _, err := l.add(entry); err != nil {
		return "", err
	}
	return l.script(), nil
}

// LinkTwo returns the module at the path entry as Link does, and with the one at later what only that needs: the second module takes
// the others from the first, which a browser has by then. pathOf returns where the first is served, from its text.
func LinkTwo(
	files fs.FS, entry, later string, vendored map[string]string, pathOf func(first string) string,
) (first, second string, err error) {
	l := newLinker(files, vendored)
	if _, err := l.add(entry); err != nil {
		return "", "", err
	}
	rest := newLinker(files, vendored)
	rest.before, rest.variables = l.done, maps.Clone(l.variables)
	if _, err := rest.add(later); err != nil {
		return "", "", err
	}
	shared := strings.Join(slices.Compact(slices.Sorted(slices.Values(rest.shared))), ", ")
	first = l.script() + "export {" + shared + "};\n"
	fmt.Fprintf(&rest.head, "import {%s} from '%s';\n", shared, pathOf(first))
	return first, rest.script(), nil
}

func newLinker(files fs.FS, vendored map[string]string) *linker {
	l := &linker{files: files, vendored: map[string][]string{}, done: map[string]*module{}, variables: map[string]string{}}
	for bare, src := range vendored {
		l.vendored[bare] = exportsOf(src)
	}
	return l
}

type linker struct {
	files    fs.FS
	vendored map[string][]string // what each exports
	done     map[string]*module
	// under is the way from the entry to the module at hand, to find cycles.
	under []string
	// variables are the modules' variables, and whose they are.
	variables map[string]string
	// before are the modules of a script that is there already, shared the variables of those that are taken from it.
	before     map[string]*module
	shared     []string
	bare       []string // the vendored modules that are imported
	head, body strings.Builder
}

// script returns what has been written, behind the imports of vendored modules.
func (l *linker) script() string {
	for _, bare := range l.used() {
		fmt.Fprintf(&l.head, "import * as %s from '%s';\n", variable(bare), bare)
	}
	return l.head.String() + l.body.String()
}

// used returns the vendored modules that are imported, in a fixed order.
func (l *linker) used() []string { return slices.Compact(slices.Sorted(slices.Values(l.bare))) }

// add writes the module and those that it needs, unless they have been written.
func (l *linker) add(file string) (*module, error) {
	if m := l.before[file]; m != nil {
		l.shared = append(l.shared, variable(file))
		return m, nil
	}
	if m := l.done[file]; m != nil {
		return m, nil
	}
	src, err := fs.ReadFile(l.files, file)
	if err != nil {
		return nil, err
	}
	m, err := parse(file, string(src))
	if err != nil {
		return nil, err
	}
	l.under = append(l.under, file)
	for _, i := range m.imports {
		if err := l.need(m, i); err != nil {
			return nil, err
		}
	}
	l.under = l.under[:len(l.under)-1]
	v := variable(file)
	if other, taken := l.variables[v]; taken {
		return nil, faultAt(file, 1, "its name is too much like that of %s", other)
	}
	l.variables[v], l.done[file] = file, m
	l.write(m)
	return m, nil
}

// need adds the module that is imported, and looks for the names there.
func (l *linker) need(m *module, i imported) error {
	exports, isVendored := l.vendored[i.from]
	switch {
	case isVendored:
		l.bare = append(l.bare, i.from)
	case !strings.HasPrefix(i.from, "./") && !strings.HasPrefix(i.from, "../"):
		return faultAt(m.path, i.line, "%q is neither a path that begins with a dot nor a vendored module", i.from)
	default:
		file := path.Join(path.Dir(m.path), i.from)
		if at := slices.Index(l.under, file); at >= 0 {
			return faultAt(m.path, i.line, "modules import each other in a circle: %s", strings.Join(append(l.under[at:], file), " → "))
		}
		if !fs.ValidPath(file) || path.Ext(file) != ".js" {
			return faultAt(m.path, i.line, "%q is no .js file of the page", i.from)
		}
		if _, err := fs.Stat(l.files, file); err != nil {
			return faultAt(m.path, i.line, "there is no file %s", file)
		}
		other, err := l.add(file)
		if err != nil {
			return err
		}
		exports = other.exports
	}
	for _, n := range i.names {
		if !slices.Contains(exports, n.exported) {
			return faultAt(m.path, i.line, "%s exports no %s, only: %s", i.from, n.exported, strings.Join(exports, ", "))
		}
	}
	return nil
}

// write wraps the module into a function. What is left out leaves its lines behind.
func (l *linker) write(m *module) {
	if len(m.exports) > 0 {
		fmt.Fprintf(&l.body, "const %s = ", variable(m.path))
	}
	l.body.WriteString("(() => {\n")
	at := 0
	for _, e := range m.edits {
		l.body.WriteString(m.src[at:e.start])
		if e.imports != nil {
			l.body.WriteString(l.destructured(m, e.imports))
		} else if e.start > 0 {
			l.body.WriteByte(' ') // or words on both sides would be one
		}
		l.body.WriteString(newlines(m.src[e.start:e.end]))
		at = e.end
	}
	l.body.WriteString(m.src[at:])
	if len(m.exports) > 0 {
		fmt.Fprintf(&l.body, "\nreturn {%s};", strings.Join(m.exports, ", "))
	}
	l.body.WriteString("\n})();\n")
}

// destructured is what takes the place of an import.
func (l *linker) destructured(m *module, i *imported) string {
	names := make([]string, len(i.names))
	for at, n := range i.names {
		names[at] = n.exported
		if n.local != n.exported {
			names[at] += ": " + n.local
		}
	}
	from := i.from
	if _, isVendored := l.vendored[from]; !isVendored {
		from = path.Join(path.Dir(m.path), from)
	}
	return fmt.Sprintf("const {%s} = %s;", strings.Join(names, ", "), variable(from))
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// variable is the name of a module's variable.
func variable(file string) string {
	return "$" + notInNames.ReplaceAllString(strings.TrimPrefix(strings.TrimSuffix(file, ".js"), "js/"), "_")
}

var (
	vendoredExports = regexp.MustCompile(`export\s*\{([^}]*)\}`)
	exportedAs      = regexp.MustCompile(`(?:^|\s)([\w$]+)$`)
)

// exportsOf returns what a vendored module exports: it ends with one list of that.
func exportsOf(src string) []string {
	lists := vendoredExports.FindAllStringSubmatch(src, -1)
	if len(lists) == 0 {
		return nil
	}
	var names []string
	for entry := range strings.SplitSeq(lists[len(lists)-1][1], ",") {
		if found := exportedAs.FindStringSubmatch(strings.TrimSpace(entry)); found != nil {
			names = append(names, found[1])
		}
	}
	return names
}

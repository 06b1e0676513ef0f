package bundle

import (
	"slices"
	"strings"
)

// module is one file of the page.
type module struct {
	path    string
	src     string
	imports []imported
	exports []string
	edits   []edit // in order of their position
}

// imported is one import: names of another module.
type imported struct {
	line  int
	from  string // as it is written
	names []name
}

// name is a name that a module exports, and what the importing one calls it.
type name struct{ exported, local string }

// edit replaces a part of the source. An import's replacement is made once its module is known.
type edit struct {
	start, end int
	imports    *imported // nil for a part that is left out
}

// parser walks over the tokens of a module without its comments.
type parser struct {
	*module
	tokens []token
	at     int
}

// parse returns the module with its imports and exports, and what has to be changed in its text.
func parse(path, src string) (*module, error) {
	tokens, err := scan(path, src)
	if err != nil {
		return nil, err
	}
	p := &parser{module: &module{path: path, src: src}}
	for _, t := range tokens {
		if t.kind == comment {
			p.edits = append(p.edits, edit{start: t.start, end: t.end})
		} else {
			p.tokens = append(p.tokens, t)
		}
	}
	for p.at < len(p.tokens) {
		if err := p.statement(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(p.edits, func(a, b edit) int { return a.start - b.start })
	return p.module, nil
}

// statement passes over one token, or over an import, or the beginning of an export.
func (p *parser) statement() error {
	t := p.tokens[p.at]
	said := p.said(0)
	if t.kind != word || said != "import" && said != "export" || p.at > 0 && p.said(-1) == "." {
		p.at++
		return nil
	}
	next := p.said(1)
	switch {
	case said == "import" && next == "(":
		return p.fault("import() is not for the page: import names at the top of the file")
	case said == "import" && next == ".":
		return p.fault("import.meta is not known in the page")
	case t.depth > 0: // a key of an object
		p.at++
		return nil
	case t.start > 0 && p.src[t.start-1] != '\n':
		return p.fault("%s has to stand at the beginning of a line", said)
	case said == "import":
		return p.importing()
	default:
		return p.exporting()
	}
}

// importing reads an import.
func (p *parser) importing() error {
	first := p.tokens[p.at]
	if !p.leading() {
		return p.fault("imports have to stand before everything else")
	}
	i := imported{line: first.line}
	p.at++
	switch {
	case p.said(0) == "{":
		if err := p.names(&i); err != nil {
			return err
		}
	case p.is(0, word) && p.said(1) == "from":
		i.names = []name{{"default", p.said(0)}}
		p.at++
	default:
		return p.fault("an import is {names} from './file.js', or {names} or one name from a bare name")
	}
	if p.said(0) != "from" || !p.is(1, text) {
		return p.fault("an import ends with from and a string")
	}
	from := p.said(1)
	i.from = from[1 : len(from)-1]
	end := p.tokens[p.at+1].end
	p.at += 2
	if p.said(0) == ";" {
		end = p.tokens[p.at].end
		p.at++
	}
	p.imports = append(p.imports, i)
	p.replace(edit{first.start, end, &i})
	return nil
}

// replace notes the edit, which takes comments within it along.
func (p *parser) replace(e edit) {
	p.edits = slices.DeleteFunc(p.edits, func(within edit) bool { return within.start > e.start && within.end <= e.end })
	p.edits = append(p.edits, e)
}

// leading reports whether nothing but imports stands before this token.
func (p *parser) leading() bool {
	if p.at == 0 {
		return true
	}
	before := p.tokens[p.at-1].end
	return slices.ContainsFunc(p.edits, func(e edit) bool { return e.imports != nil && e.end == before })
}

// names reads what stands between the braces of an import.
func (p *parser) names(i *imported) error {
	for p.at++; p.said(0) != "}"; {
		if !p.is(0, word) {
			return p.fault("an import names what it takes: {one, another as local}")
		}
		n := name{p.said(0), p.said(0)}
		p.at++
		if p.said(0) == "as" && p.is(1, word) {
			n.local = p.said(1)
			p.at += 2
		}
		i.names = append(i.names, n)
		switch p.said(0) {
		case ",":
			p.at++
		case "}":
		default:
			return p.fault("an import names what it takes: {one, another as local}")
		}
	}
	p.at++
	if len(i.names) == 0 {
		return p.fault("an import has to name something")
	}
	return nil
}

// exporting reads the beginning of an export, up to its name.
func (p *parser) exporting() error {
	first := p.tokens[p.at]
	p.at++
	declaration := p.at
	switch p.said(0) {
	case "async":
		if p.said(1) != "function" {
			return p.fault("%s", exportable)
		}
		p.at += 2
	case "function", "class", "const":
		p.at++
	default:
		return p.fault("%s", exportable)
	}
	if p.said(0) == "*" {
		p.at++
	}
	if !p.is(0, word) {
		return p.fault("%s", exportable)
	}
	name := p.said(0)
	if slices.Contains(p.exports, name) {
		return p.fault("%s is exported twice", name)
	}
	p.exports = append(p.exports, name)
	p.replace(edit{start: first.start, end: p.tokens[declaration].start})
	return nil
}

const exportable = "an export is a function, async function, class or const with a name of its own"

// said returns the text of the token that many tokens further, "" behind the last.
func (p *parser) said(further int) string {
	if p.at+further >= len(p.tokens) {
		return ""
	}
	t := p.tokens[p.at+further]
	return p.src[t.start:t.end]
}

func (p *parser) is(further int, k kind) bool {
	return p.at+further < len(p.tokens) && p.tokens[p.at+further].kind == k
}

// fault returns an error that names the line of the token here.
func (p *parser) fault(format string, args ...any) error {
	line := p.tokens[min(p.at, len(p.tokens)-1)].line
	return faultAt(p.path, line, format, args...)
}

// newlines keeps the number of lines of what is left out.
func newlines(text string) string { return strings.Repeat("\n", strings.Count(text, "\n")) }

package acceptance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// declared holds what the repository declares: packages, their names (postgres.DB, batchlog.Appender.Append), tests and files.
type declared struct {
	packages map[string]bool
	names    map[string]bool
	tests    map[string]string // functions of test files, and the file of each
	files    map[string]bool   // by path and by base name
}

// readRepository parses every file of the repository.
func readRepository(t *testing.T) declared {
	t.Helper()
	d := declared{map[string]bool{}, map[string]bool{}, map[string]string{}, map[string]bool{}}
	root := "../.."
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() && (name == ".git" || name == "data" || name == "dist" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		d.files[name], d.files[entry.Name()] = true, true
		if strings.HasSuffix(name, ".go") {
			d.addFile(t, path)
		}
		return nil
	}))
	return d
}

func (d declared) addFile(t *testing.T, path string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	pkg := strings.TrimSuffix(file.Name.Name, "_test")
	d.packages[pkg] = true
	for _, declaration := range file.Decls {
		switch x := declaration.(type) {
		case *ast.FuncDecl:
			d.addFunc(pkg, path, x)
		case *ast.GenDecl:
			for _, spec := range x.Specs {
				d.addSpec(pkg, spec)
			}
		}
	}
}

func (d declared) addFunc(pkg, path string, f *ast.FuncDecl) {
	if f.Recv == nil {
		d.names[pkg+"."+f.Name.Name] = true
		if strings.HasSuffix(path, "_test.go") {
			d.tests[f.Name.Name] = path
		}
		return
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		d.names[pkg+"."+name.Name+"."+f.Name.Name] = true
	}
}

func (d declared) addSpec(pkg string, spec ast.Spec) {
	switch x := spec.(type) {
	case *ast.TypeSpec:
		d.names[pkg+"."+x.Name.Name] = true
		var fields *ast.FieldList
		switch of := x.Type.(type) {
		case *ast.StructType:
			fields = of.Fields
		case *ast.InterfaceType:
			fields = of.Methods
		default:
			return
		}
		for _, field := range fields.List {
			for _, name := range field.Names {
				d.names[pkg+"."+x.Name.Name+"."+name.Name] = true
			}
		}
	case *ast.ValueSpec:
		for _, name := range x.Names {
			d.names[pkg+"."+name.Name] = true
		}
	}
}

var (
	code     = regexp.MustCompile("`([^`\n]+)`")
	testName = regexp.MustCompile(`^(Test|Fuzz|Benchmark|Example)[A-Z][A-Za-z0-9_]*$`)
	goName   = regexp.MustCompile(`^([a-z][a-z0-9]*)(\.[A-Za-z][A-Za-z0-9]*){1,2}$`)
	subject  = regexp.MustCompile(`^Test[A-Z][A-Za-z0-9]*_[A-Z]`)
	fileName = regexp.MustCompile(`^[\w.-]*(/[\w.-]+)*/?$`)
)

// missing says what is wrong with a name that a page mentions, "" for nothing.
func (d declared) missing(name string) string {
	switch {
	case testName.MatchString(name):
		if d.tests[name] == "" {
			return "no test"
		}
	case goName.MatchString(name) && d.packages[strings.SplitN(name, ".", 2)[0]] && !d.files[name]:
		if !d.names[name] {
			return "no name"
		}
	case strings.Contains(name, "/") && fileName.MatchString(name) && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "."),
		strings.HasSuffix(name, ".go"), strings.HasSuffix(name, ".md"), strings.HasSuffix(name, ".yaml"):
		if !d.files[strings.TrimSuffix(name, "/")] {
			return "no file"
		}
	}
	return ""
}

// Every file, package, function and test that these pages mention is there.
func TestDocs_NamesOfTheCodeExist(t *testing.T) {
	t.Parallel()
	d := readRepository(t)
	for _, page := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join("../..", page))
		require.NoError(t, err)
		names := code.FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, names)
		for _, name := range names {
			if what := d.missing(name[1]); what != "" {
				t.Errorf("%s names %s: there is %s of this name", page, name[1], what)
			}
		}
	}
}

// The name of a test is TestSubject_WhatIsTested, so that go test -run Subject finds all tests of a subject.
func TestDocs_NamesOfTestsBeginWithTheirSubject(t *testing.T) {
	t.Parallel()
	d := readRepository(t)
	require.Contains(t, d.tests, t.Name())
	for name, path := range d.tests {
		if testName.MatchString(name) && strings.HasPrefix(name, "Test") && name != "TestMain" && !subject.MatchString(name) {
			t.Errorf("%s: %s does not begin with its subject, as TestSubject_WhatIsTested does", path, name)
		}
	}
}

package postgres

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/pressly/goose/v3"
)

// Schema is the migrations of all modules, in order of their numbers, as one folder of files. The zero value has none.
//
// A migration is a file of goose's, such as 0005_arrivals.sql. Its number is its own among the migrations of all modules: it
// says when it is run, and a database remembers it. So neither number nor contents change once a database may have run it.
type Schema struct {
	names []string // in order of their numbers
	files map[string]fs.FS
}

// NewSchema merges the migrations that lie in the folders given. It returns an error when two have the same number.
func NewSchema(folders ...fs.FS) (*Schema, error) {
	s := &Schema{files: map[string]fs.FS{}}
	number, taken := map[string]int64{}, map[int64]string{}
	for _, folder := range folders {
		names, err := fs.Glob(folder, "*.sql")
		if err != nil {
			return nil, fmt.Errorf("read the migrations: %w", err)
		}
		for _, name := range names {
			n, err := goose.NumericComponent(name)
			if err != nil {
				return nil, fmt.Errorf("read the number of the migration %s: %w", name, err)
			}
			if other := taken[n]; other != "" {
				return nil, fmt.Errorf("the migrations %s and %s have the same number", other, name)
			}
			taken[n], number[name], s.files[name] = name, n, folder
			s.names = append(s.names, name)
		}
	}
	slices.SortFunc(s.names, func(a, b string) int { return cmp.Compare(number[a], number[b]) })
	return s, nil
}

// Names returns the names of the migrations, in order.
func (s *Schema) Names() []string { return slices.Clone(s.names) }

// Open opens a migration.
func (s *Schema) Open(name string) (fs.File, error) {
	folder, ok := s.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return folder.Open(name)
}

// Glob returns the names of the migrations that match the pattern; see fs.GlobFS.
func (s *Schema) Glob(pattern string) (names []string, err error) {
	for _, name := range s.names {
		matches, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if matches {
			names = append(names, name)
		}
	}
	return names, nil
}

// Package migrations contains the migrations of the tables of module dashboard: boards. Package schema merges them with those of
// the other modules, in one sequence of numbers.
//
// The package imports nothing, so that the tests of every module can use the schema.
package migrations

import "embed"

// Files are the migrations.
//
//go:embed *.sql
var Files embed.FS

// Package migrations contains the migrations of the tables of module series: series and their newest readings. Package schema
// merges them with those of the other modules, in one sequence of numbers; it also contains the first migration.
//
// The package imports nothing, so that the tests of every module can use the schema.
package migrations

import "embed"

// Files are the migrations.
//
//go:embed *.sql
var Files embed.FS

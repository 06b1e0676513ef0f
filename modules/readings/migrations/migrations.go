// Package migrations contains the migrations of the tables of module readings: the log, the chunks and the SQL functions that read
// them. Package schema merges them with those of the other modules, in one sequence of numbers; it also contains the first
// migration.
//
// The package imports nothing, so that the tests of every module can use the schema.
package migrations

import "embed"

// Files are the migrations.
//
//go:embed *.sql
var Files embed.FS

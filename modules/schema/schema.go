// Package schema assembles the database schema: the list of all modules' migrations, which package postgres merges, and the first
// migration. That one is older than the division into modules and creates tables of all of them. Databases have run it as one
// migration, so it stays one.
//
// Later changes to a module's tables are in the folder migrations of that module. Those folders import nothing, so this package
// depends on no module, and the tests of every module can use it.
package schema

import (
	"embed"

	dashboard "telltale/modules/dashboard/migrations"
	readings "telltale/modules/readings/migrations"
	series "telltale/modules/series/migrations"
	"telltale/platform/postgres"
)

//go:embed *.sql
var initial embed.FS

// New returns the schema. It panics when two migrations have the same number.
func New() *postgres.Schema {
	merged, err := postgres.NewSchema(initial, series.Files, readings.Files, dashboard.Files)
	if err != nil {
		panic(err) // a mistake of the program, which a test finds
	}
	return merged
}

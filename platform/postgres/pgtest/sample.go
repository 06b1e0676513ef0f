package pgtest

import (
	"testing/fstest"

	"telltale/platform/postgres"
)

// Sample returns the schema of tests that need a table of some kind: devices, with an id.
func Sample() *postgres.Schema {
	const devices = "-- +goose Up\nCREATE TABLE devices (id text PRIMARY KEY);\n"
	schema, err := postgres.NewSchema(fstest.MapFS{"0001_initial.sql": {Data: []byte(devices)}})
	if err != nil {
		panic(err) // it is a constant
	}
	return schema
}

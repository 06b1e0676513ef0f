package bench

import "testing"

// BenchmarkStorage reports what a folded reading takes on disk, indexes, free space and statistics included, beside a row of
// the plain table with its primary key.
func BenchmarkStorage(b *testing.B) {
	data.serve(b)
	admin := connectAll(b, data.cfg, 1)[0]
	const readings = 2 * fleet * days * day / step
	var chunks, rows float64
	for b.Loop() {
		chunks = float64(number(b, admin, `SELECT sum(pg_total_relation_size(relid))::bigint FROM (
			SELECT relid FROM pg_partition_tree('reading_chunks') UNION SELECT 'reading_days'::regclass) AS tables`)) / readings
		rows = float64(number(b, admin, `SELECT pg_total_relation_size('plain')`)) / readings
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(chunks, "bytes/reading")
	b.ReportMetric(rows, "rows-bytes/reading")
	storageGoal.is(chunks, "bytes: a row with primary key", rows)
}

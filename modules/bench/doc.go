// Package bench measures the whole program from outside, over HTTP, and holds it against the targets in goals_test.go.
//
// It has nothing but benchmarks: the program is built and run as a process of its own, on a real and durable PostgreSQL
// that the benchmarks start (the embedded code, fsync on), and each figure stands beside a baseline that was measured in
// the same run on the same server, in turns with it, because absolute figures move from machine to machine. One iteration
// is one such turn; figures are medians of the turns, so
//
//	go test ./modules/bench -run '^$' -bench . -benchtime 3x -timeout 1h
//
// takes three. Each benchmark tells goals_test.go what it has measured of the table of targets, which is printed at the end.
// -span sets how long one throughput is measured (10 s). TELLTALE_BINARY names a program to measure instead
// of one built from the working tree, and LOG_LEVEL is handed on to it. The load generator shares the machine's cores with
// program and database; everything stays on loopback, and every process ends with the benchmarks.
package bench

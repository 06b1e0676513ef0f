// Package bench measures the whole program from outside, over HTTP, and holds it against the targets in goals_test.go.
//
// It runs the program as a process of its own, on a durable PostgreSQL (fsync on) that it starts, and measures a baseline in the
// same run, in turns with the program, because absolute figures differ from machine to machine. One iteration is one turn
// (-benchtime 3x takes three), and figures are medians of the turns. -span sets how long one throughput is measured (10 s).
// TELLTALE_BINARY names a program to measure instead of one built from the working tree, and LOG_LEVEL is passed on to it. The
// load generator shares the machine's cores with program and database.
package bench

// Package acceptance tests Telltale from outside: the real binary as a process, a real PostgreSQL, real sockets, and what
// operators do to processes. It has no code of its own.
package acceptance

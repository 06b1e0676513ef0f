// Package acceptance tests Telltale from outside: the real binary as a process, a real PostgreSQL, real sockets, and what operators
// do to processes. It also checks the program against its OpenAPI document.
//
// It contains only tests. What one package can show alone is tested in that package.
package acceptance

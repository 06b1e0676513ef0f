// Package budget limits the memory that many viewers share.
//
// Bytes is a budget: each user takes from it what it is about to hold, and gives it back. Cache holds values that can be made
// again; it keeps those used last, as many as its budget allows.
//
// The package does not know what the bytes are for, and it allocates none of them.
package budget

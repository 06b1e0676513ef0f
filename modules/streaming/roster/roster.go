// Package roster finds viewers without looking at all of them. Audience finds them by the devices that a step of the log concerns;
// Alarms finds them by the time at which they have something to do.
//
// Both store their state in the member itself, in embedded structs: a Seat for an audience, an Alarm for alarms. So a removal needs
// no search, and an idle viewer no map entry.
//
// The package does not know what a member is. It neither writes to a member nor decides what is due.
package roster

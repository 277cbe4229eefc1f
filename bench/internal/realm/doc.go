// Package realm prepares the file that a gate starts with: users, sessions and
// revocations in any number, and signed tokens that the gate takes for its own.
//
// It owns the ids, which are in ascending order: a file of a million sessions is
// written in a minute and not in an hour. It goes through the product's own
// interfaces and knows nothing of the format of the file.
package realm

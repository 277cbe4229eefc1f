// Package storagetest is the suite that every back end of authcore.Store passes.
// It holds the sentences of the contract in package authcore against a store:
// what is atomic, which error means what, how time enters, what a context does.
//
// A back end runs it from a test of its own:
//
//	func TestStore(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T) authcore.Store { return memory.New() })
//	}
//
// Run wants a fresh, empty store on each call and calls it twice where it checks
// that realms are apart and that one can be moved to another: a back end that
// keeps several realms in one engine returns another realm of the same engine
// each time.
//
// RunDurable wants a place that can be closed and opened again, and checks that
// everything that was acknowledged is still there.
//
// The suite owns no engine, starts no process and reads no clock: every time it
// passes in is an offset from one fixed moment. All ids are random UUIDs and all
// times whole milliseconds, so that engines with types for those can use them.
package storagetest

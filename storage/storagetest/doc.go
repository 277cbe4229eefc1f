// Package storagetest is the suite that every engine of [authcore.Store] passes.
// It checks the contract in package authcore: atomicity, errors, the handling of
// time, contexts and callbacks.
//
// An engine runs it from its own tests:
//
//	func TestStore(t *testing.T) {
//		storagetest.Run(t, storagetest.Config{
//			Open: func(t *testing.T) authcore.Store { return memory.New() },
//		})
//	}
//
// [RunDurable] reopens a store between the steps and checks that acknowledged
// steps are still there. [RunVictim] and [Journal] do the same across kill -9.
// [RunLoginFaults] fails a login at every point. [Steps], [Furnish] and [Frozen]
// are for engines that test failing servers.
//
// The suite starts no process and opens no connection. All times are offsets from
// the time at which the test process started, so that items which are live for
// the node are also live by the clock of an engine. IDs are UUIDs and times are
// whole milliseconds, so that engines can use types for those.
package storagetest

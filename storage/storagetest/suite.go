package storagetest

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// Config describes an engine to the suite.
type Config struct {
	// Open returns a fresh, empty store and registers its end with t.Cleanup. The
	// suite calls it twice where it needs two realms: an engine that keeps several
	// realms in one database returns another realm of the same database.
	Open func(t *testing.T) authcore.Store
	// Clock reports that the engine has a clock of its own, which runs like the
	// clock of the test process. Counters and Sweep then depend on it.
	Clock bool
	// MaxCounters is the number of counters that the engine keeps for each limit,
	// best a small one for tests. Zero skips the check of the bound.
	MaxCounters int
	// Damage makes a stored session, record, identity, user or revocation
	// undecodable and reports whether the engine's format permits such damage.
	// Nil skips the checks.
	Damage func(t *testing.T, store authcore.Store, item authcore.Item) bool
	// SweepsBlindly reports that Sweep decodes nothing and therefore counts no
	// damaged items.
	SweepsBlindly bool
	// Writes returns a number that grows with every write. Nil skips the check
	// that a step which changes nothing writes nothing.
	Writes func(t *testing.T, store authcore.Store) int64
	// OpenNewer opens a store that was written with Format + 1 and returns the
	// error. Nil skips the check.
	OpenNewer func(t *testing.T) error
}

// check tests one statement about an empty store.
type check struct {
	name string
	run  func(t *testing.T, store authcore.Store)
}

// Run checks the contract, apart from durability, against an engine.
func Run(t *testing.T, config Config) {
	t.Helper()
	for _, group := range []struct {
		name   string
		checks []check
	}{
		{"Users", userChecks()},
		{"Login", loginChecks()},
		{"LoginRaces", loginRaceChecks()},
		{"UpdateAccount", updateChecks(config)},
		{"DeleteUser", deleteChecks()},
		{"List", listChecks()},
		{"Records", recordChecks()},
		{"Revocations", revocationChecks()},
		{"Keys", keyChecks()},
		{"Counters", counterChecks(config)},
		{"Sweep", sweepChecks(config)},
		{"Damage", damageChecks(config)},
		{"Callbacks", callbackChecks()},
		{"Context", contextChecks()},
		{"Copies", copyChecks()},
		{"Clock", clockChecks()},
		{"Transfer", transferChecks(config)},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, check := range group.checks {
				t.Run(check.name, func(t *testing.T) { check.run(t, config.Open(t)) })
			}
		})
	}
	t.Run("NewerFormat", func(t *testing.T) {
		if config.OpenNewer == nil {
			t.Skip("the engine has no hook OpenNewer")
		}
		if err := config.OpenNewer(t); err == nil {
			t.Errorf("opening a store of format %d = nil, want an error", authcore.Format+1)
		}
	})
}

package storagetest

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// Open returns a fresh, empty store. It ends what it started with t.Cleanup.
type Open func(t *testing.T) authcore.Store

// check is one statement about an empty store.
type check struct {
	name string
	run  func(t *testing.T, store authcore.Store)
}

// Run holds the whole contract, apart from durability, against the stores that
// open returns.
func Run(t *testing.T, open Open) {
	groups := []struct {
		name   string
		checks []check
	}{
		{"Users", userChecks()},
		{"UserAdmin", adminChecks()},
		{"Identities", identityChecks()},
		{"Unlinking", unlinkChecks()},
		{"Succession", successionChecks()},
		{"Links", linkChecks()},
		{"Codes", codeChecks()},
		{"Flows", flowChecks()},
		{"Sessions", sessionChecks()},
		{"RenewSession", renewChecks()},
		{"Revocations", revocationChecks()},
		{"Keys", keyChecks()},
		{"Counters", counterChecks()},
		{"Sweep", sweepChecks()},
		{"Context", contextChecks()},
		{"Copies", copyChecks()},
		{"Clock", clockChecks()},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, check := range group.checks {
				t.Run(check.name, func(t *testing.T) { check.run(t, open(t)) })
			}
		})
	}
	t.Run("Transfer", func(t *testing.T) {
		for _, check := range transferChecks() {
			t.Run(check.name, func(t *testing.T) { check.run(t, open(t), open(t)) })
		}
	})
	t.Run("Realms", func(t *testing.T) { realmsApart(t, open(t), open(t)) })
}

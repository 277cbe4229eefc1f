package wait

import (
	"testing"
	"time"
)

// interval separates two checks of a condition.
const interval = 10 * time.Millisecond

// Until waits until condition holds, and fails the test if it does not within limit.
// What describes the condition.
func Until(t testing.TB, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	if !Holds(limit, condition) {
		t.Fatalf("%s: not within %s", what, limit)
	}
}

// Holds reports whether condition comes to hold within limit.
func Holds(limit time.Duration, condition func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if condition() {
			return true
		}
		select {
		case <-deadline.C:
			return condition()
		case <-tick.C:
		}
	}
}

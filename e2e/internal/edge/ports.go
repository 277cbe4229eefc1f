package edge

import (
	"testing"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// FreePort returns a free TCP port. It stays free between the end of a process and
// the start of the next one.
func FreePort(t testing.TB) int {
	t.Helper()
	return servertest.FreePort(t)
}

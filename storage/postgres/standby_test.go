package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// A former primary that returned as a standby answers queries and may be behind
// permanently. A node that read revocations there would accept the tokens of ended
// sessions (CWE-613).
func TestStandbyIsNotRead(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	server.Stop(t)
	if err := os.WriteFile(filepath.Join(server.Data, "standby.signal"), nil, 0o644); err != nil {
		t.Fatalf("standby.signal: %v", err)
	}
	server.Start(t)
	for range 3 { // the first one uses a connection that has ended
		if _, _, err := store.RevocationsSince(t.Context(), ""); !errors.Is(err, authcore.ErrUnavailable) {
			t.Errorf("RevocationsSince of a standby: error %v", err)
		}
	}
	if _, err := Open(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "read only") {
		t.Errorf("Open of a standby: error %v", err)
	}
	other := pgtest.Start(t) // the new primary
	both := strings.Replace(server.Through(other.Database(t), server.Address()), server.Address(), server.Address()+","+other.Address(), 1)
	openDSN(t, both)
}

package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// Rights reports a role that can read and not write: with it the server would start
// and refuse every login.
func TestRights(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.Database(t)
	realm(t, openDSN(t, dsn), "main")
	pgtest.Exec(t, dsn,
		`CREATE ROLE edge LOGIN`, `GRANT USAGE ON SCHEMA edgeauth TO edge`, `GRANT SELECT ON ALL TABLES IN SCHEMA edgeauth TO edge`)
	edge := strings.Replace(dsn, "//postgres:", "//edge:", 1)
	if err := Rights(t.Context(), dsn); err != nil {
		t.Errorf("Rights of the owner: error %v", err)
	}
	err := Rights(t.Context(), edge)
	if err == nil || !strings.Contains(err.Error(), "users") || !strings.Contains(err.Error(), "IN SCHEMA edgeauth") {
		t.Errorf("Rights of a reader: error %v, want the tables and a remedy", err)
	}
	if _, err := ClockSkew(t.Context(), edge, time.Now); err != nil {
		t.Errorf("ClockSkew of a reader: error %v", err)
	}
	pgtest.Exec(t, dsn, `GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA edgeauth TO edge`, `REVOKE DELETE ON edgeauth.sessions FROM edge`)
	if err := Rights(t.Context(), edge); err == nil || !strings.Contains(err.Error(), "on sessions;") {
		t.Errorf("Rights without one right: error %v, want the table", err)
	}
	pgtest.Exec(t, dsn, `GRANT DELETE ON edgeauth.sessions TO edge`, `REVOKE INSERT, UPDATE, DELETE ON edgeauth.migrations FROM edge`)
	if err := Rights(t.Context(), edge); err != nil {
		t.Errorf("Rights as documented: error %v", err)
	}
	if err := Rights(t.Context(), edge, WithSchema("none")); err != nil {
		t.Errorf("Rights without a schema: error %v", err)
	}
}

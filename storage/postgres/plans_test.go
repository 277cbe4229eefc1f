package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// A database has no statistics in its first minute, and an import makes most of
// what it will ever have in that time: the plans must be good without them.
func TestPlansWithoutStatistics(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	db := openDSN(t, dsn)
	now := time.Now()
	var records []authcore.Record
	for i := range 300 {
		id := fmt.Sprint("user-", i)
		records = append(records,
			authcore.Record{User: &authcore.User{ID: id, Email: id + "@example.com", EmailVerified: true, Created: now}},
			authcore.Record{Identity: &authcore.Identity{Provider: "p", Subject: id, UserID: id, Created: now}},
			authcore.Record{Session: &authcore.Session{ID: id, UserID: id, TokenID: id, Created: now, Expires: now.Add(time.Hour)}})
	}
	if _, err := realm(t, db, "main").Import(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for statement, index := range map[string]string{
		`SELECT FROM edgeauth.users WHERE realm = 'main' AND id = 'x' FOR KEY SHARE`: "users_pkey",
		`SELECT FROM edgeauth.users WHERE realm = 'main' AND email_key = 'x'`:        "users_email_key",
		`SELECT FROM edgeauth.sessions WHERE realm = 'main' AND id = 'x' FOR UPDATE`: "sessions_pkey",
		`SELECT FROM edgeauth.sessions WHERE realm = 'main' AND user_id = 'x'`:       "sessions_by_user",
		`SELECT FROM edgeauth.identities WHERE realm = 'main' AND user_id = 'x'`:     "identities_by_user",
	} {
		rows, err := conn.Query(t.Context(), "EXPLAIN "+statement)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || !strings.Contains(strings.Join(plan, "\n"), index) {
			t.Errorf("%s does not use %s, error %v:\n%s", statement, index, err, strings.Join(plan, "\n"))
		}
	}
}

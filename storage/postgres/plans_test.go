package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// A database has no statistics in its first minute, in which an import writes most
// of its rows: the plans must be good without them, also those for unknown values.
func TestPlansWithoutStatistics(t *testing.T) {
	dsn := pgtest.Start(t).Database(t)
	store := realm(t, openDSN(t, dsn), "main")
	var items []authcore.Item
	for i := range 300 {
		a := account(fmt.Sprint("user-", i), fmt.Sprintf("user-%d@example.com", i))
		a.Sessions[0].UserID = a.User.ID
		r := record(a.User.ID, a.User.ID)
		items = append(items, authcore.Item{User: &a.User}, authcore.Item{Session: &a.Sessions[0]}, authcore.Item{Record: &r},
			authcore.Item{Identity: &authcore.Identity{Provider: "p", Subject: a.User.ID, UserID: a.User.ID}})
	}
	if _, err := store.Import(t.Context(), items); err != nil {
		t.Fatalf("Import: %v", err)
	}
	for name, test := range wantedPlans() {
		plan := explain(t, dsn, test.statement)
		for _, index := range test.indexes {
			if !strings.Contains(plan, index) {
				t.Errorf("%s does not use %s:\n%s", name, index, plan)
			}
		}
		if strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s reads a whole table:\n%s", name, plan)
		}
	}
}

type wantedPlan struct {
	statement string
	indexes   []string
}

func wantedPlans() map[string]wantedPlan {
	plans := map[string]wantedPlan{
		"record":  {`SELECT doc FROM @.records` + whereRecord, []string{"records_pkey"}},
		"records": {listOfKind, []string{"records_by_kind"}},
		"owned":   {listOfOwner, []string{"records_by_owner"}},
		"keep":    {deleteOldest, []string{"records_by_owner"}},
		"users":   {listAll + listPage, []string{"users_pkey"}},
		"domain":  {listAll + ofDomain + listPage, []string{"users_by_domain"}},
		"prefix":  {countPrefix, []string{"users_email_key"}},
		"count":   {countUp, nil},
	}
	for name, ref := range map[string]authcore.UserRef{
		"ID": {ID: "x"}, "address": {EmailKey: "x"}, "identity": {Identity: authcore.IdentityKey{Subject: "x"}},
	} {
		statement, _ := of(accountRows, ref, allTimes)
		plans["account by "+name] = wantedPlan{statement, []string{"users_pkey", "identities_by_user", "sessions_pkey"}}
	}
	return plans
}

// explain returns the plan of a statement for unknown values.
func explain(t *testing.T, dsn, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	statement = qualify(defaultSchema, statement)
	if _, err := conn.Exec(t.Context(), `SET plan_cache_mode = force_generic_plan`); err != nil {
		t.Fatalf("SET: %v", err)
	}
	prepared, err := conn.Prepare(t.Context(), "plan", statement)
	if err != nil {
		t.Fatalf("Prepare(%s): %v", statement, err)
	}
	nulls := strings.TrimSuffix(strings.Repeat("NULL,", len(prepared.ParamOIDs)), ",")
	rows, err := conn.Query(t.Context(), "EXPLAIN EXECUTE plan ("+nulls+")", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("EXPLAIN: %v", err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("EXPLAIN %s: %v", statement, err)
	}
	return strings.Join(plan, "\n")
}

// BenchmarkUsers lists pages of a million users.
func BenchmarkUsers(b *testing.B) {
	dsn := pgtest.Start(b, "shared_buffers=512MB", "max_wal_size=4GB", "autovacuum=on").Database(b)
	store := realm(b, openDSN(b, dsn), "main")
	pgtest.Exec(b, dsn, `INSERT INTO edgeauth.users (realm, id, email_key, domain, doc)
		SELECT 'main', gen_random_uuid()::text, e || '@' || d, d,
			format('{"id":"%s","email":"%s@%s","email_verified":true,"first_name":"Ada","last_name":"Lovelace",' ||
				'"roles":["editor"],"created":"2026-01-01T00:00:00Z","last_login":"2026-03-01T00:00:00Z"}', i, e, d)
		FROM (SELECT i, substr(md5(i::text), 1, 8) || '.' || i AS e, CASE WHEN i % 10 = 0 THEN 'rare.example' ELSE 'd' || i % 97 || '.example' END AS d
			FROM generate_series(1, 1000000) AS i) AS v`,
		`VACUUM ANALYZE edgeauth.users`)
	for name, filter := range map[string]authcore.UserFilter{
		"all": {}, "rare prefix": {EmailPrefix: "abc12"}, "prefix of 4000": {EmailPrefix: "abc"[:2]}, "prefix of 62500": {EmailPrefix: "a"},
		"domain": {Domain: "d7.example"}, "prefix in a domain": {EmailPrefix: "ab", Domain: "rare.example"}, "absent domain": {Domain: "absent.example"},
		"absent prefix": {EmailPrefix: "zz"}, "role": {Role: "editor"}, "absent role": {Role: "auditor"}, "since": {LastLoginFrom: time.Now()},
	} {
		b.Run(name, func(b *testing.B) {
			cursor, found := "", 0
			for b.Loop() {
				users, next, err := store.Users(b.Context(), filter, cursor)
				if err != nil {
					b.Fatalf("Users(%+v): error %v", filter, err)
				}
				cursor, found = next, found+len(users)
			}
			b.ReportMetric(float64(found)/float64(b.N), "users/page")
		})
	}
}

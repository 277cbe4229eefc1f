package caddymodule

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore/provider"
	"github.com/edgeauth/edgeauth/internal/pgtest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/postgres"
)

func TestPostgresStorage(t *testing.T) {
	server := pgtest.Start(t)
	t.Setenv("EDGEAUTH_TEST_DATABASE", server.Database(t))
	const storage = "postgres {env.EDGEAUTH_TEST_DATABASE}"
	testOutage(t, server, storage, storage+" {\n max_connections 2\n}") // with another pool
}

// Realms are apart in one database.
func TestPostgresRealmsAreApart(t *testing.T) {
	t.Setenv("EDGEAUTH_TEST_DATABASE", pgtest.Start(t).Database(t))
	const storage = "insecure_debug_links\n storage postgres {env.EDGEAUTH_TEST_DATABASE}\n"
	s := setup{
		Port: freePort(t), Realm: storage,
		Globals: "edgeauth staff {\n client web " + testKey + "\n email_link https://staff.app/{token}\n" + storage + "}",
		Site:    "route /staff {\n token_auth {\n realm staff\n}\n respond staff\n}\n token_auth\n respond {http.auth.user.email}",
	}
	load(t, s.caddyfile())
	token := "Token " + login(t, s, "a@example.com")
	if response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", token); response.StatusCode != 200 {
		t.Errorf("in its own realm: %d", response.StatusCode)
	}
	if response, _ := call(t, http.MethodGet, s.url("/staff"), nil, "Authorization", token); response.StatusCode != 401 {
		t.Errorf("in another realm: %d", response.StatusCode)
	}
}

// createSchema creates the schema of the store in a database.
func createSchema(t *testing.T, dsn string) {
	t.Helper()
	owner, err := postgres.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	_ = owner.Close()
}

// The role of the edge has the rights that docs/postgresql.md lists and no others,
// and neither its password nor that of an unreachable database reaches the log, an
// error or the saved configuration (CWE-532, CWE-312).
func TestHardeningPostgresRole(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.Database(t)
	createSchema(t, dsn)
	pgtest.Exec(t, dsn, documentedRole(t)...)
	asOwner := dsn
	dsn = strings.Replace(dsn, "//postgres:", "//edge:", 1)
	logFile := filepath.Join(t.TempDir(), "log")
	t.Setenv("EDGEAUTH_TEST_DATABASE", dsn)
	s := setup{
		Port:    freePort(t),
		Globals: "debug\n log {\n output file " + logFile + "\n level DEBUG\n}",
		Realm:   "insecure_debug_links\n storage postgres {env.EDGEAUTH_TEST_DATABASE}",
		Site:    "token_auth\n respond {http.auth.user.email}",
	}
	load(t, s.caddyfile())
	token := login(t, s, "a@example.com")
	if err := loadedRealm(t, "").live.Load().Maintain(t.Context()); err != nil {
		t.Errorf("maintenance: %v", err)
	}
	post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+token)

	if out, err := checked(t, t.Context(), s.caddyfile()); err != nil || !strings.Contains(out, "ok     storage postgres: responds and has the schema") {
		t.Errorf("the check: %v:\n%s", err, out)
	}
	pgtest.Exec(t, asOwner, "REVOKE DELETE ON edgeauth.users FROM edge")
	if out, err := checked(t, t.Context(), s.caddyfile()); err == nil || !strings.Contains(out, "the role lacks rights on users; run GRANT ") {
		t.Errorf("the check without a right: %v:\n%s", err, out)
	}

	server.Kill(t)
	s.Realm += " {\n schema other\n}"
	err := tryLoad(t, s.caddyfile())
	if err == nil || !strings.Contains(err.Error(), "storage: cannot open database") || !strings.Contains(err.Error(), `as user "edge"`) {
		t.Errorf("a start without PostgreSQL: %v", err)
	}
	var content []byte
	servertest.Eventually(t, "the log", func() bool {
		content, _ = os.ReadFile(logFile)
		return strings.Contains(string(content), "watching revocations failed") // the watch noticed
	})
	saved, _ := os.ReadFile(caddy.ConfigAutosavePath)
	if !strings.Contains(string(saved), "{env.EDGEAUTH_TEST_DATABASE}") {
		t.Error("the saved configuration has lost the placeholder")
	}
	for _, text := range []string{string(content), string(saved), err.Error()} {
		if strings.Contains(text, "secret-of-the-database") {
			t.Errorf("contains the password: %s", text)
		}
	}
	if strings.Contains(string(content), "permission denied") {
		t.Error("the log complains of rights")
	}
}

// documentedRole returns the statements that the documentation shows for the role edge.
func documentedRole(t *testing.T) []string {
	t.Helper()
	statements := documentedStatements(t)
	from := slices.IndexFunc(statements, func(s string) bool { return strings.HasPrefix(s, "CREATE ROLE edge ") })
	to := slices.IndexFunc(statements, func(s string) bool { return strings.HasPrefix(s, "SELECT") })
	if from < 0 || to < from {
		t.Fatal("docs/postgresql.md shows no role")
	}
	return statements[from:to]
}

// documentedStatements returns all statements of docs/postgresql.md.
func documentedStatements(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/postgresql.md")
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for _, block := range regexp.MustCompile("(?s)\n```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for statement := range strings.SplitSeq(block[1], ";") {
			if statement = strings.TrimSpace(statement); statement != "" {
				statements = append(statements, statement)
			}
		}
	}
	return statements
}

// copied finds the query of a documented export.
var copied = regexp.MustCompile(`(?s)-d (\S+) -c "COPY \((.*?)\n *\) TO STDOUT`)

const supabaseUser = "6b8e9d8e-2b7a-4e0f-9d49-0d7a5a6f3c11"

var supabaseTables = []string{
	"CREATE SCHEMA auth",
	"CREATE TABLE auth.users (id uuid, email text, email_confirmed_at timestamptz, raw_user_meta_data jsonb, deleted_at timestamptz, banned_until timestamptz)",
	"CREATE TABLE auth.identities (user_id uuid, provider text, provider_id text, created_at timestamptz)",
}

// The statements of docs/postgresql.md run in a database with the schema, and the
// queries of docs that export the users of other systems in databases with their
// tables. Their columns are those that `user import` reads.
func TestDocumentedStatements(t *testing.T) {
	server := pgtest.Start(t)
	dsn := server.Database(t)
	createSchema(t, dsn)
	pgtest.Exec(t, dsn, documentedStatements(t)...)

	for page, tables := range map[string][]string{
		"users.md": {
			"CREATE TABLE auth_user (id int, email text, first_name text, last_name text, is_active boolean)",
			"CREATE TABLE social_auth_usersocialauth (id int, user_id int, provider text, uid text)",
		},
		"migrate-from-supabase-auth.md": supabaseTables,
	} {
		text, err := os.ReadFile(filepath.Join("..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		query := copied.FindStringSubmatch(string(text))
		if query == nil {
			t.Errorf("docs/%s shows no COPY", page)
			continue
		}
		pgtest.Exec(t, server.Database(t), append(tables,
			"CREATE VIEW export AS "+query[2],
			`SELECT "user", provider, uid, email, email_verified::boolean, first_name, last_name FROM export`)...)
	}
}

// The export from Supabase names the providers by the kinds of this product. The names of
// Supabase are those of its Provider type. Logins whose provider_id is not the subject here
// are left out, as are those through providers that have no kind.
func TestSupabaseProviders(t *testing.T) {
	kinds := map[string]string{
		"apple": "apple-id", "bitbucket": "bitbucket-oauth2", "discord": "discord", "facebook": "facebook", "github": "github",
		"gitlab": "gitlab", "google": "google-oauth2", "linkedin": "linkedin-oauth2", "linkedin_oidc": "linkedin-openidconnect",
		"spotify": "spotify", "twitch": "twitch", "twitter": "twitter-oauth2", "x": "twitter-oauth2",
		"azure": "", "slack": "", "slack_oidc": "", "keycloak": "", "email": "", "phone": "",
		"figma": "", "fly": "", "kakao": "", "notion": "", "workos": "", "zoom": "",
	}
	text, err := os.ReadFile(filepath.Join("..", "docs", "migrate-from-supabase-auth.md"))
	if err != nil {
		t.Fatal(err)
	}
	query := copied.FindStringSubmatch(string(text))
	if query == nil {
		t.Fatal("the page shows no COPY")
	}
	statements := append(slices.Clone(supabaseTables), "CREATE VIEW export AS "+query[2],
		"INSERT INTO auth.users VALUES ('"+supabaseUser+"', 'ann@example.com', now(), '{\"full_name\": \"Ann Lee\"}', NULL, NULL)")
	for name, kind := range kinds {
		if kind != "" && !slices.Contains(provider.Kinds(), kind) {
			t.Errorf("the kind of %s is %s, want one of %q", name, kind, provider.Kinds())
		}
		// The uid is the name of Supabase.
		want := "NOT EXISTS (SELECT FROM export WHERE uid = '" + name + "')"
		if kind != "" {
			want = "EXISTS (SELECT FROM export WHERE uid = '" + name + "' AND provider = '" + kind + "')"
		}
		statements = append(statements,
			"INSERT INTO auth.identities VALUES ('"+supabaseUser+"', '"+name+"', '"+name+"', now())",
			"DO $$ BEGIN IF NOT "+want+" THEN RAISE '"+name+" is not exported as \""+kind+"\"'; END IF; END $$")
	}
	pgtest.Exec(t, pgtest.Start(t).Database(t), statements...)
}

func TestPostgresStorageIsChecked(t *testing.T) {
	t.Setenv("EDGEAUTH_TEST_DATABASE", "postgres://user:se%cret@host/auth")
	t.Setenv("EDGEAUTH_TEST_EMPTY", "")
	for options, want := range map[string]string{
		"{env.EDGEAUTH_TEST_UNSET}":                                          "storage postgres: dsn",
		"{env.EDGEAUTH_TEST_EMPTY}":                                          "storage postgres: dsn",
		"{env.EDGEAUTH_TEST_DATABASE}":                                       "dsn: cannot be parsed",
		"postgres://host:port/auth":                                          "dsn: cannot be parsed",
		"postgres://host/auth?sslmode=maybe":                                 "dsn: cannot be parsed",
		"postgres://host/auth?pool_max_conns=none":                           "dsn: cannot be parsed",
		"postgres://host/auth {\n schema " + strings.Repeat("x", 64) + "\n}": "schema: is not 1 to 63 bytes",
	} {
		err := validate(setup{Port: "8080", Realm: "mailer log\n storage postgres " + options}.caddyfile())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", options, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "se%cret") {
			t.Errorf("the error cites the password: %v", err)
		}
	}
	// A database that is not there is no fault of the configuration.
	if err := validate(setup{Port: "8080", Realm: "mailer log\n storage postgres postgres://127.0.0.1:1/auth"}.caddyfile()); err != nil {
		t.Errorf("validate: %v", err)
	}
}

package command

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/adminapi"
)

// operate runs a user command against an API with three users on two pages, one of whom
// has two sessions.
func operate(t *testing.T, args ...string) (out string, searches []adminapi.Search) {
	t.Helper()
	users := []adminapi.User{
		{ID: "1", Email: "ann@example.com", EmailVerified: true, Roles: []string{"admin"}},
		{ID: "2", Email: "ben@example.com", Disabled: true},
		{ID: "3", FirstName: "Cay"},
	}
	answer := func(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }
	mux := http.NewServeMux()
	mux.HandleFunc("POST /users/search", func(w http.ResponseWriter, r *http.Request) {
		var search adminapi.Search
		if err := json.NewDecoder(r.Body).Decode(&search); err != nil {
			t.Errorf("the body of a search = %v, want a filter", err)
		}
		searches = append(searches, search)
		if search.Cursor == "" {
			answer(w, adminapi.Users{Users: users[:2], Next: "more"})
			return
		}
		answer(w, adminapi.Users{Users: users[2:]})
	})
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, _ *http.Request) { answer(w, users[0]) })
	mux.HandleFunc("GET /users/{id}/sessions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"sessions": []adminapi.Session{
			{ID: "s1", Client: "web", Method: "link", Created: time.Unix(1e9, 0)}, {ID: "s2", Client: "web", Method: "passkey", IP: "192.0.2.7"},
		}})
	})
	mux.HandleFunc("DELETE /users/{id}/sessions", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("DELETE /users/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	cmd := User(func(string, string, string) (Endpoint, error) {
		return Endpoint{Client: server.Client(), URL: server.URL}, nil
	})
	var written bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&written)
	cmd.SetErr(&written)
	if err := cmd.Execute(); err != nil {
		t.Fatalf("user %v = %v, want no error", args, err)
	}
	return written.String(), searches
}

func TestUserListPrintsPages(t *testing.T) {
	out, searches := operate(t, "list", "--all")
	for _, want := range []string{"ann@example.com", "ben@example.com", "disabled", "admin"} {
		if !strings.Contains(out, want) {
			t.Errorf("user list --all printed %q, want it to contain %q", out, want)
		}
	}
	if len(searches) != 2 || searches[1].Cursor != "more" {
		t.Errorf("user list --all searched %+v, want two pages", searches)
	}
	if out, _ = operate(t, "list", "--all", "--json"); strings.Count(out, "\n") != 3 || !strings.HasPrefix(out, "{") {
		t.Errorf("user list --all --json printed %q, want an object in each of three lines", out)
	}
}

func TestUserSearchChoosesTheFilter(t *testing.T) {
	for text, want := range map[string]adminapi.Search{"@example.com": {Domain: "example.com"}, "ann": {EmailPrefix: "ann"}} {
		_, searches := operate(t, "search", text)
		if len(searches) == 0 || searches[0].Domain != want.Domain || searches[0].EmailPrefix != want.EmailPrefix {
			t.Errorf("user search %s searched %+v, want %+v", text, searches, want)
		}
	}
}

func TestUserSessionsAreListedAndEnded(t *testing.T) {
	if out, _ := operate(t, "sessions", "1"); !strings.Contains(out, "s2") || !strings.Contains(out, "192.0.2.7") {
		t.Errorf("user sessions printed %q, want both sessions", out)
	}
	if out, _ := operate(t, "end-sessions", "1"); !strings.Contains(out, "1") {
		t.Errorf("user end-sessions printed %q, want the user", out)
	}
	if out, _ := operate(t, "delete", "1", "--json"); !strings.Contains(out, `"1"`) {
		t.Errorf("user delete --json printed %q, want the user", out)
	}
}

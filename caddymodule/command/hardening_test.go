package command

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// An argument such as "." does not move a request to the path above, which names all
// signing keys or all sessions (CWE-22).
func TestHardeningArgumentsStayInTheirSegment(t *testing.T) {
	for _, arguments := range [][]string{
		{"keys", "revoke", "."},
		{"keys", "revoke", ".."},
		{"keys", "revoke", ""},
		{"keys", "revoke", "../api-keys"},
		{"user", "end-sessions", "u", "."},
		{"user", "end-sessions", "u", ""},
		{"user", "end-sessions", "..", "signing-keys"},
		{"user", "delete", "."},
		{"user", "delete", ""},
		{"user", "disable", ".."},
		{"user", "show", ""},
		{"user", "sessions", ".."},
		{"user", "remove-factor", "u", ".", "f"},
		{"user", "remove-factor", "u", "totp", ""},
		{"api-key", "revoke", "."},
		{"invitation", "revoke", ""},
		{"webhook", "retry", ".", "m"},
		{"webhook", "dead", ".."},
	} {
		var asked []string
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.Method+" "+r.URL.EscapedPath())
			w.WriteHeader(http.StatusNotFound)
		}))
		root := &cobra.Command{Use: "edgeauth", SilenceUsage: true, SilenceErrors: true}
		for _, command := range []func(Connect) *cobra.Command{Keys, User, APIKey, Invitation, Webhook} {
			root.AddCommand(command(func(string, string, string) (Endpoint, error) {
				return Endpoint{Client: api.Client(), URL: api.URL}, nil
			}))
		}
		var out bytes.Buffer
		root.SetArgs(arguments)
		root.SetOut(&out)
		root.SetErr(io.Discard)
		err := root.ExecuteContext(t.Context())
		api.Close()
		if ExitCode(err) != exitNotFound {
			t.Errorf("%q = %v with exit status %d, want %d", arguments, err, ExitCode(err), exitNotFound)
		}
		for _, request := range asked {
			if !strings.Contains(request, "..%2Fapi-keys") {
				t.Errorf("%q asked %s, want no request", arguments, request)
			}
		}
	}
}

// A redirect does not move a change to another path (CWE-601).
func TestHardeningCommandsFollowNoRedirect(t *testing.T) {
	moved := false
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			moved = true
			return
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer api.Close()
	s := server{Endpoint: Endpoint{Client: api.Client(), URL: api.URL}, out: io.Discard}
	err := s.ask(t.Context(), http.MethodDelete, "/signing-keys/k", nil, nil)
	if reported, ok := errors.AsType[*failure](err); !ok || reported.status != http.StatusTemporaryRedirect || moved {
		t.Errorf("ask() = %v, followed the redirect: %t; want an error and false", err, moved)
	}
}

// A backup replaces a file, and nothing else: a device such as /dev/null of which the
// operator is the owner would be lost, and a folder is noticed before the copy is made.
func TestHardeningBackupReplacesFilesOnly(t *testing.T) {
	for _, name := range []string{t.TempDir(), os.DevNull} {
		cmd := Backup(func(string, string, string) (Endpoint, error) {
			return Endpoint{Client: http.DefaultClient, URL: "http://127.0.0.1:1"}, nil
		})
		cmd.SetArgs([]string{name})
		cmd.SetErr(io.Discard)
		cmd.SetOut(io.Discard)
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "is not a file") {
			t.Errorf("backup %s = %v, want an error before the server is asked", name, err)
		}
	}
}

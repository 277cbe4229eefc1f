package command

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A wrong number of arguments is answered with the usage, before the server is asked.
func TestArguments(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"show", "an argument is missing; use: user show <user>"},
		{"show a b", `"b" is one argument too many; use: user show <user>`},
		{"search", "an argument is missing; use: user search <text>"},
		{"end-sessions a b c", `"c" is one argument too many; use: user end-sessions <user> [<session>]`},
		{"role", "an argument is missing; use: user role <user> [<role>…]"},
		{"role a" + strings.Repeat(" x", 33), `"x" is one argument too many; use: user role`},
	} {
		cmd := User(func(string, string, string) (Endpoint, error) {
			t.Fatalf("user %s connects, want an error before", test.args)
			return Endpoint{}, nil
		})
		var out bytes.Buffer
		cmd.SetArgs(strings.Fields(test.args))
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		if err := cmd.Execute(); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("user %s = %v, want %q", test.args, err, test.want)
		}
	}
}

// One of 64 identifiers begins with "-". It is not read as a flag, and flags on either
// side of it are.
func TestIdentifierLikeFlag(t *testing.T) {
	const id = "-IVQGrWPSgB0sHJhK3Zw5_f11hp1O1NVGv_FcAmQxOc"
	for args, want := range map[string]string{
		"keys revoke " + id:                                        "DELETE /signing-keys/" + id,
		"keys revoke --json " + id + " --realm staff":              "DELETE /signing-keys/" + id + "?realm=staff",
		"keys revoke -- " + id:                                     "DELETE /signing-keys/" + id,
		"keys revoke --all":                                        "DELETE /signing-keys",
		"keys revoke":                                              "revoke: name one key, or write --all",
		"keys revoke " + id + " " + id:                             `"` + id + `" is one argument too many; use: keys revoke <id>|--all [flags]`,
		"keys revoke --al":                                         "unknown flag: --al",
		"invitation revoke " + id[:22]:                             "DELETE /invitations/" + id[:22],
		"webhook retry w " + id:                                    "POST /webhooks/w/dead/" + id + "/retry",
		"user remove-factor 1a2b3c4d-0000 passkey " + id:           "DELETE /users/1a2b3c4d-0000/factors/passkey/" + id,
		"user remove-factor 1a2b3c4d-0000 passkey " + id + " more": `"` + id + `" is one argument too many`,
	} {
		var asked string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Method + " " + r.URL.RequestURI()
			_, _ = io.WriteString(w, "{}")
		}))
		connect := func(string, string, string) (Endpoint, error) {
			return Endpoint{Client: server.Client(), URL: server.URL}, nil
		}
		root := &cobra.Command{Use: "edgeauth", SilenceErrors: true, SilenceUsage: true}
		root.AddCommand(Keys(connect), Invitation(connect), Webhook(connect), User(connect))
		root.SetArgs(strings.Fields(args))
		root.SetOut(io.Discard)
		if err := root.Execute(); err != nil {
			asked = strings.ReplaceAll(err.Error(), "edgeauth ", "")
		}
		server.Close()
		if !strings.HasPrefix(asked, want) {
			t.Errorf("%s asks %q, want %q", args, asked, want)
		}
	}
}

func TestHelpBesideIdentifier(t *testing.T) {
	var out bytes.Buffer
	cmd := Keys(func(string, string, string) (Endpoint, error) {
		t.Fatal("keys revoke --help connects, want none")
		return Endpoint{}, nil
	})
	cmd.SetArgs([]string{"revoke", "--help"})
	cmd.SetOut(&out)
	if err := cmd.Execute(); err != nil || !strings.Contains(out.String(), "Removes a key, or all keys") {
		t.Errorf("keys revoke --help = %q, %v, want the help", out.String(), err)
	}
}

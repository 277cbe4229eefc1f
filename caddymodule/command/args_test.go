package command

import (
	"bytes"
	"strings"
	"testing"
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

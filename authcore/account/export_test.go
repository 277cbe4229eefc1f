package account_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// Every member of what is stored about a user is exported, or left out here for a reason.
func TestExportIsComplete(t *testing.T) {
	for _, test := range []struct {
		stored, exported any
		renamed, left    map[string]string // left: the reason
	}{
		{
			authcore.User{},
			account.ExportedUser{},
			map[string]string{"Granted": "granted_roles"},
			map[string]string{
				"Factors":     "the records of the factors are exported",
				"Passkeys":    "the records of the passkeys are exported",
				"DeviceEpoch": "a counter",
				"Disabled":    "a disabled user has no export",
			},
		},
		{
			authcore.Identity{},
			account.ExportedLogin{},
			map[string]string{"PublicID": "id", "Expires": "expires_at"},
			map[string]string{"UserID": "the id of the user"},
		},
		{
			authcore.Session{},
			account.ExportedSession{},
			map[string]string{"Expires": "expires_at", "IP": "address", "Device": "remembered_device"},
			map[string]string{"UserID": "the id of the user", "Token": "ids of tokens", "Superseded": "ids of tokens"},
		},
	} {
		names := map[string]bool{}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(test.exported)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			names[name] = true
		}
		for _, field := range reflect.VisibleFields(reflect.TypeOf(test.stored)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if renamed, ok := test.renamed[field.Name]; ok {
				name = renamed
			}
			if _, left := test.left[field.Name]; !left && !names[name] {
				t.Errorf("%T has no member %q for %T.%s, want one", test.exported, name, test.stored, field.Name)
			}
		}
	}
}

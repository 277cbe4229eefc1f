package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

const testKeys = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// with returns a valid configuration with more members.
func with(members string) []byte {
	if members != "" {
		members = "," + members
	}
	return []byte(`{"issuer":"https://auth.example.com","keys":` + testKeys + members + `}`)
}

func TestParse(t *testing.T) {
	c, err := Parse(with(`"origins":["https://a.example","http://localhost:3000"],"public":["/x"],"forward_token":true`))
	if err != nil {
		t.Fatalf("Parse = %v", err)
	}
	if c.Issuer != "https://auth.example.com" || c.Audience != c.Issuer || c.CacheSize != DefaultCacheSize || len(c.Keys.Keys()) != 1 {
		t.Errorf("Parse = %+v, want the issuer as audience, one key and the default cache", c)
	}
	if !c.Site.ForwardToken || !c.Site.Public.Match("/x") || !slices.Equal(c.Site.Headers, []string{"X-Auth-User-Id", "X-Auth-Email"}) {
		t.Errorf("Parse gave the site %+v, want the members and default headers", c.Site)
	}
	if !c.AllowsOrigin("http://localhost:3000") || c.AllowsOrigin("https://a.example/") || c.AllowsOrigin("") {
		t.Error("AllowsOrigin accepts other origins than the configured ones")
	}
}

// Hosts write one value in several ways.
func TestSpellings(t *testing.T) {
	for _, members := range []string{
		`"optional":true,"cache_size":5,"max_age":5400000000000,"headers":["X-Auth-Name"],"public":["/a","/b"]`,
		`"optional":"true","cache_size":"5","max_age":"1h30m","headers":"x-auth-name","public":"/a, /b"`,
		`"optional":true,"cache_size":"5","max_age":"5400000000000","headers":{"0":"X-Auth-Name"},"public":{"[0]":"/a","[1]":"/b"}`,
		`"optional":true,"cache_size":5,"max_age":"0.0625d","headers":["X-Auth-Name"],"public":["/a","/b"],"require":[],"origins":"","keys_file":null,"revocations":{}`,
	} {
		c, err := Parse(with(members))
		if err != nil {
			t.Errorf("Parse with %s = %v", members, err)
			continue
		}
		if !c.Site.Policy.Optional || c.CacheSize != 5 || c.Site.Policy.MaxAge != 90*time.Minute ||
			!slices.Equal(c.Site.Headers, []string{"X-Auth-Name"}) || !slices.Equal(c.Site.Public, []string{"/a", "/b"}) {
			t.Errorf("Parse with %s = %+v, want equal values", members, c)
		}
	}
	for written, want := range map[string]time.Duration{`"14d"`: 14 * 24 * time.Hour, `"1d12h"`: 36 * time.Hour, `"90s"`: 90 * time.Second, `1`: 1} {
		if c, err := Parse(with(`"max_age":` + written)); err != nil || c.Site.Policy.MaxAge != want {
			t.Errorf("Parse with max_age %s = %+v, %v, want %v", written, c, err, want)
		}
	}
	keys, err := json.Marshal(testKeys)
	if err != nil {
		t.Fatalf("Marshal = %v", err)
	}
	for _, written := range []string{string(keys), strings.NewReplacer("[", `{"0":`, "]", "}").Replace(testKeys), strings.TrimSuffix(testKeys[len(`{"keys":`):], "}")} {
		if c, err := Parse([]byte(`{"issuer":"x","keys":` + written + `}`)); err != nil || len(c.Keys.Keys()) != 1 {
			t.Errorf("Parse with keys %s = %v, want one key", written, err)
		}
	}
}

// Every fault is named, with the option.
func TestFaults(t *testing.T) {
	for _, test := range []struct{ config, want string }{
		{``, "not a JSON object"},
		{`[]`, "not a JSON object"},
		{`{} {}`, "something follows"},
		{`{"keys":` + testKeys + `}`, "issuer: is required"},
		{`{"issuer":"x"}`, "exactly one of keys and keys_file"},
		{string(with(`"keys_file":"/x"`)), "exactly one of keys and keys_file"},
		{string(with(`"optionnal":true`)), "optionnal: unknown name"},
		{string(with(`"assertion":{}`)), "assertion: is not possible here"},
		{string(with(`"realm":"x"`)), "realm: is not possible here"},
		{string(with(`"handle_errors":true`)), "handle_errors: is not possible here"},
		{string(with(`"optional":1`)), "optional: must be true or false"},
		{string(with(`"forward_token":"yes"`)), "forward_token: must be true or false"},
		{string(with(`"cache_size":1.5`)), "cache_size: must be a whole number"},
		{string(with(`"cache_size":-1`)), "cache_size: must be from 0"},
		{string(with(`"max_age":"soon"`)), "max_age: must be a duration"},
		{string(with(`"max_age":"xd"`)), "max_age: must be a duration"},
		{string(with(`"max_age":[1]`)), "max_age: must be a duration"},
		{string(with(`"max_age":"0s"`)), "max_age: must be positive"},
		{string(with(`"public":"x"`)), `public: "x" must be a path`},
		{string(with(`"public":"/a,,/b"`)), "public: has an empty element"},
		{string(with(`"public":[1]`)), "public: must be a list of texts"},
		{string(with(`"public":{"0":"/a","2":"/b"}`)), "public: must be a list"},
		{string(with(`"public":5`)), "public: must be a list"},
		{string(with(`"headers":["X-User"]`)), `headers: "X-User" is not one of`},
		{string(with(`"origins":["*"]`)), `origins: "*" is not an origin`},
		{string(with(`"origins":["https://A.example"]`)), "is not an origin"},
		{string(with(`"origins":["ftp://a.example"]`)), "is not an origin"},
		{string(with(`"require":"x"`)), "require: must be a list"},
		{string(with(`"require":["x"]`)), "require: requirement 1: must be an object"},
		{string(with(`"require":[{"field":"client","value":"x"}]`)), "requirement 1: value: unknown name"},
		{string(with(`"require":[{"field":1}]`)), "requirement 1: field: must be a text"},
		{string(with(`"require":[{"field":"shoe_size","values":"x"}]`)), "require shoe_size: unknown field"},
		{string(with(`"require":[{"field":"role","values":"Admin"}]`)), "require role: a value is not the name of a role"},
		{string(with(`"require":[{"field":"client"}]`)), "require client: needs a value"},
		{string(with(`"optional":true,"require":[{"field":"client","values":"x"}]`)), "optional: excludes require"},
		{string(with(`"revocations":"x"`)), "revocations: neither a list of revocations nor a feed"},
		{string(with(`"revocations":5`)), "revocations: must be a list"},
		{string(with(`"revocations":[5]`)), "revocation 1: must be an object"},
		{string(with(`"revocations":[{"kind":"x","id":"y"}]`)), "revocation 1: kind: must be"},
		{string(with(`"revocations":[{"kind":"user"}]`)), "revocation 1: id: is required"},
		{string(with(`"revocations":[{"kind":"user","id":"x","until":"soon"}]`)), "revocation 1: until: must be a time"},
		{string(with(`"revocations":[{"kind":"user","id":"x","ends":"soon"}]`)), "revocation 1: ends: unknown name"},
		{string(with(`"revocations":[{"kind":"user","id":1}]`)), "revocation 1: id: must be a text"},
		{string(with(`"revocations":"a.b.c","revocations_file":"/x"`)), "revocations: excludes revocations_file"},
		{string(with(`"revocations":"a.b.c\nx"`)), "revocations: neither a list of revocations nor a feed"},
		{string(with(`"revocations":"a.b.c","revocations_by_host":true`)), "revocations_by_host: excludes"},
		{string(with(`"revocations_file":"/x","revocations_by_host":true`)), "revocations_by_host: excludes"},
		{string(with(`"revocations":[{"kind":"token","id":"x"}]`)), "revocation 1: kind: must be user or session"},
		{string(with(`"revocations_max_age":"1h"`)), "revocations_max_age: needs the signed feed"},
		{`{"issuer":"x","keys":5}`, "keys: must be a JSON Web Key Set"},
		{`{"issuer":"x","keys":{"keys":{"1":{}}}}`, "keys: must be a JSON Web Key Set"},
		{`{"issuer":"x","keys":{"keys":[{"kty":"oct","k":"AAAA"}]}}`, "private or symmetric"},
		{`{"issuer":"x","keys":"-----BEGIN PRIVATE KEY-----"}`, "a private key"},
		{`{"issuer":"x","keys":{"keys":[],"signing_key":"-----BEGIN PRIVATE KEY-----"}}`, "a member next to keys"},
		{`{"issuer":5,"audience":[],"optional":"x"}`, "issuer: must be a text\noptional: must be true or false"},
	} {
		if _, err := Parse([]byte(test.config)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Parse(%s) = %v, want %s", test.config, err, test.want)
		}
	}
}

func TestRevocations(t *testing.T) {
	const list = `[{"kind":"user","id":"a"},{"kind":"session","id":"b","until":"2030-01-01T00:00:00Z"}]`
	fromFile, err := ParseList([]byte("\n" + list + "\n"))
	if err != nil {
		t.Fatalf("ParseList(%s) = %v", list, err)
	}
	c, err := Parse(with(`"revocations":` + list))
	if err != nil {
		t.Fatalf("Parse with %s = %v", list, err)
	}
	want := []gate.Revocation{
		{Kind: gate.RevokeUser, ID: "a", Until: time.Unix(permanent, 0)},
		{Kind: gate.RevokeSession, ID: "b", Until: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	if fmt.Sprint(fromFile) != fmt.Sprint(want) || fmt.Sprint(c.Revocations.List) != fmt.Sprint(want) {
		t.Errorf("ParseList = %v, Parse = %v, want %v", fromFile, c.Revocations.List, want)
	}
	for _, text := range []string{"", "x", "{}", "[", "[1]", list + "x", list + list} {
		if r, err := ParseList([]byte(text)); err == nil {
			t.Errorf("ParseList(%q) = %+v, want an error", text, r)
		}
	}
	if r, err := ParseList([]byte("[]")); err != nil || len(r) != 0 {
		t.Errorf("ParseList([]) = %+v, %v, want no entries", r, err)
	}
	if c, err := Parse(with(`"revocations":"a.b.c\nd.e.f\n"`)); err != nil || c.Revocations.Feed != "a.b.c\nd.e.f\n" || !c.HasFeed() {
		t.Errorf("Parse with a feed of two parts = %+v, %v", c, err)
	}
	if c, err := Parse(with(`"revocations_by_host":"true","revocations_max_age":"5m"`)); err != nil || !c.RevocationsByHost || !c.HasFeed() {
		t.Errorf("Parse with revocations_by_host = %+v, %v", c, err)
	}
}

// FuzzParse never panics, and what it accepts is complete.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		string(with("")), string(with(`"require":{"0":{"field":"client","values":"a,b"}},"max_age":"1d"`)),
		string(with(`"revocations":"a.b.c","origins":["https://a.example"]`)), `{"keys":{"keys":{"[0]":{}}}}`, `{"max_age":"d1d"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err == nil && (c.Issuer == "" || c.Audience == "" || (c.Keys == nil) == (c.KeysFile == "") || c.Site.Policy.Validate() != nil) {
			t.Errorf("Parse(%q) = %+v, want a complete configuration", text, c)
		}
	})
}

package gate

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// keyClaims are the claims of a valid API key.
func keyClaims() Claims {
	claims := testClaims()
	claims.Method, claims.Client, claims.AuthTime = MethodKey, "", 0
	return claims
}

// signKey makes an API key.
func (s signer) signKey(claims Claims) string {
	statement := testStatement(claims)
	return KeyPrefix + s.signText(s.header(PurposeKey), statementJSON(statement))
}

// basic returns the value of Authorization for HTTP Basic.
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestCredentials(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	key, login := testSigners()[EdDSA].signKey(keyClaims()), testSigners()[EdDSA].sign(testClaims())
	both := SchemeToken | SchemeBearer
	for _, test := range []struct {
		name          string
		credentials   Credentials
		authorization string
		// want is the reason.
		want string
	}{
		{"key where none is accepted", Credentials{}, "Token " + key, "key_not_accepted"},
		{"key as Bearer where none is accepted", Credentials{}, "Bearer " + key, "no_credentials"},
		{"key as Bearer with both schemes, where none is accepted", Credentials{Schemes: both}, "Bearer " + key, "key_not_accepted"},
		{"key", Credentials{Keys: KeysOn}, "Token " + key, ReasonAuthenticated},
		{"key as Bearer", Credentials{Keys: KeysOn}, "bEARER  " + key, ReasonAuthenticated},
		{"key as Token with Bearer", Credentials{Keys: KeysOn, Schemes: SchemeBearer}, "Token " + key, ReasonAuthenticated},
		{"key of another scheme", Credentials{Keys: KeysOn}, "Key " + key, "no_credentials"},
		{"key as Basic, off", Credentials{Keys: KeysOn}, basic("ada", key), "no_credentials"},
		{"key as Basic", Credentials{Keys: KeysOn, Basic: true}, basic("ada", key), ReasonAuthenticated},
		{"key as Basic, no name", Credentials{Keys: KeysOn, Basic: true}, basic("", key), ReasonAuthenticated},
		{"login as Basic", Credentials{Keys: KeysOn, Basic: true}, basic("ada", login), "no_credentials"},
		{"login", Credentials{Keys: KeysOn}, "Token " + login, ReasonAuthenticated},
		{"login as Bearer", Credentials{Keys: KeysOn}, "Bearer " + login, "no_credentials"},
		{"login as Bearer, accepted", Credentials{Schemes: SchemeBearer}, "Bearer " + login, ReasonAuthenticated},
		{"login as Token with Bearer", Credentials{Schemes: SchemeBearer}, "Token " + login, "no_credentials"},
		{"login as Token with both", Credentials{Schemes: both}, "Token " + login, ReasonAuthenticated},
		{"login where only keys are accepted", Credentials{Keys: KeysOnly}, "Token " + login, "key_required"},
		{"key where only keys are accepted", Credentials{Keys: KeysOnly}, "Token " + key, ReasonAuthenticated},
		{"nothing where only keys are accepted", Credentials{Keys: KeysOnly}, "", "no_credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			site := Site{Credentials: test.credentials}
			d := site.Decide(v, Request{Now: testNow, Header: Header{"Authorization": {test.authorization}}}, nil)
			if d.Reason != test.want || (d.Claims != nil) != (test.want == ReasonAuthenticated) {
				t.Errorf("Decide(%s) = %+v, want %s", test.name, d, test.want)
			}
		})
	}
}

// Credentials that are not for the gate reach the upstream of a site that needs none,
// and those that are do not.
func TestForeignCredentials(t *testing.T) {
	key := testSigners()[EdDSA].signKey(keyClaims())
	v := newTestVerifier(t, testConfig())
	on := Credentials{Keys: KeysOn, Basic: true}
	for _, test := range []struct {
		name          string
		credentials   Credentials
		authorization string
		stays         bool
	}{
		{"Bearer", Credentials{}, "Bearer x", true},
		{"Bearer with keys", on, "Bearer x", true},
		{"Bearer, accepted", Credentials{Schemes: SchemeBearer}, "Bearer x", false},
		{"Token with Bearer", Credentials{Schemes: SchemeBearer}, "Token x", true},
		{"Basic", Credentials{}, basic("ada", "secret"), true},
		{"Basic with keys", on, basic("ada", "secret"), true},
		{"Basic with a forged key", on, basic("ada", "eak_x"), false},
		{"Basic, not base64", on, "Basic eak_x", true},
		{"key as Bearer", on, "Bearer " + key, false},
		{"forged key as Bearer", on, "Bearer eak_x", false},
		{"key as Basic", on, basic("ada", key), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, browser := range []*Browser{nil, testBrowser(t)} {
				site := Site{Credentials: test.credentials, Public: PublicPaths{"/"}, Browser: browser}
				header := Header{"Authorization": {test.authorization}}
				d := site.Decide(v, Request{Now: testNow, Path: "/", Header: header}, nil)
				if d.Status != 0 {
					t.Fatalf("Decide(%s) = %+v, want no refusal on a public path", test.name, d)
				}
				site.Forward(&d, header)
				if got := header["Authorization"] != nil; got != test.stays {
					t.Errorf("Forward(%s) keeps Authorization: %t, want %t", test.name, got, test.stays)
				}
			}
		})
	}
}

func TestChallenges(t *testing.T) {
	const chromium = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0"
	basicOn := Credentials{Keys: KeysOn, Basic: true}
	for _, test := range []struct {
		name        string
		credentials Credentials
		browser     bool
		header      Header
		want        []string
	}{
		{"default", Credentials{}, false, Header{}, []string{"Token"}},
		{"both schemes", Credentials{Schemes: SchemeToken | SchemeBearer}, false, Header{}, []string{"Token", "Bearer"}},
		{"Bearer", Credentials{Schemes: SchemeBearer}, false, Header{}, []string{"Bearer"}},
		{"Basic", basicOn, false, Header{"User-Agent": {chromium}}, []string{challengeBasic, "Token"}},
		{"Basic, login page, program", basicOn, true, Header{"User-Agent": {"git/2.47.0"}, "Accept": {"*/*"}}, []string{challengeBasic, "Token"}},
		{"Basic, login page, no user agent", basicOn, true, Header{}, []string{challengeBasic, "Token"}},
		{"Basic, login page, script of a browser", basicOn, true, Header{"User-Agent": {chromium}, "Sec-Fetch-Mode": {"cors"}}, []string{"Token"}},
		{"Basic, login page, browser on http", basicOn, true, Header{"User-Agent": {chromium}, "Accept": {"*/*"}}, []string{"Token"}},
		{"Basic, login page, Thunderbird", basicOn, true, Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0"}}, []string{challengeBasic, "Token"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			site := Site{Credentials: test.credentials}
			if test.browser {
				site.Browser = testBrowser(t)
			}
			d := site.Decide(newTestVerifier(t, testConfig()), Request{Method: "POST", Path: "/", Header: test.header, Now: testNow}, nil)
			answer := Header{}
			d.Answer(answer)
			if d.Status != 401 || !slices.Equal(answer["Www-Authenticate"], test.want) {
				t.Errorf("Answer() = %d %q, want 401 %q", d.Status, answer["Www-Authenticate"], test.want)
			}
		})
	}
}

func TestParseCredentialOptions(t *testing.T) {
	for text, want := range map[string]KeyUse{"": KeysOff, "off": KeysOff, "on": KeysOn, "only": KeysOnly} {
		if got, err := ParseKeyUse(text); got != want || err != nil {
			t.Errorf("ParseKeyUse(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	if _, err := ParseKeyUse("ON"); err == nil {
		t.Error("ParseKeyUse(ON) = nil, want an error")
	}
	for text, want := range map[string]Schemes{"": 0, "Token": SchemeToken, "bearer": SchemeBearer, "Bearer Token": SchemeBearer | SchemeToken} {
		if got, err := ParseSchemes(strings.Fields(text)); got != want || err != nil {
			t.Errorf("ParseSchemes(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"Basic", "Token token", "Digest"} {
		if _, err := ParseSchemes(strings.Fields(text)); err == nil {
			t.Errorf("ParseSchemes(%q) = nil, want an error", text)
		}
	}
	for name, site := range map[string]Site{
		"basic without keys":       {Credentials: Credentials{Basic: true}},
		"basic with forward_token": {Credentials: Credentials{Basic: true, Keys: KeysOn}, ForwardToken: true},
	} {
		if site.Validate() == nil {
			t.Errorf("Validate(%s) = nil, want an error", name)
		}
	}
}

// A request with a known key allocates nothing; HTTP Basic decodes it.
func TestKeysAllocateNothing(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	key := testSigners()[EdDSA].signKey(keyClaims())
	for name, want := range map[string]float64{"Token " + key: 0, "Bearer " + key: 0, basic("ada", key): 2} {
		site := Site{Credentials: Credentials{Keys: KeysOn, Basic: true}, Headers: defaultHeaders()}
		header, authorization := Header{}, []string{name}
		var d Decision
		n := testing.AllocsPerRun(100, func() {
			header["Authorization"] = authorization
			d = site.Decide(v, Request{Method: "GET", Header: header, Now: testNow}, nil)
			site.Forward(&d, header)
		})
		if n > want || d.Claims == nil {
			t.Errorf("Decide(%.12s…) makes %v allocations, want %v at most", name, n, want)
		}
	}
}

// FuzzCredentials checks that nothing but a whole key identifies a user.
func FuzzCredentials(f *testing.F) {
	key := testSigners()[EdDSA].signKey(keyClaims())
	for _, seed := range []string{"Basic", basic("a", key), basic("a:b", key), "Basic " + key, "Bearer " + key, "Token eak_", basic("\r\n", "eak_"), "Basic YQ= ="} {
		f.Add(seed)
	}
	v := newTestVerifier(f, testConfig())
	site := Site{Credentials: Credentials{Keys: KeysOn, Basic: true}}
	f.Fuzz(func(t *testing.T, value string) {
		d := site.Decide(v, Request{Header: Header{"Authorization": {value}}, Now: time.Unix(testNow.Unix(), 0)}, nil)
		words := strings.FieldsFunc(value, func(r rune) bool { return r < 128 && strings.ContainsRune(blanks, r) })
		whole := len(words) == 2 && words[1] == key
		if len(words) == 2 && strings.EqualFold(words[0], "basic") {
			decoded, _ := base64.StdEncoding.DecodeString(words[1])
			_, password, _ := strings.Cut(string(decoded), ":")
			whole = password == key
		}
		if (d.Claims != nil) != whole || d.Claims == nil && !errors.Is(d.Err, ErrNoCredentials) && d.Status != 401 {
			t.Errorf("Decide(%q) = %+v, want claims: %t", value, d, whole)
		}
	})
}

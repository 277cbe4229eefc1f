package gate

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func statementJSON(statement Statement) string {
	payload, err := json.Marshal(statement)
	must(err)
	return string(payload)
}

// decideKey returns the decision of a site that accepts keys.
func decideKey(tb testing.TB, authorization string, header Header) Decision {
	tb.Helper()
	site := Site{Credentials: Credentials{Keys: KeysOn, Basic: true}, Browser: testBrowser(tb)}
	if header == nil {
		header = Header{}
	}
	if authorization != "" {
		header["Authorization"] = []string{authorization}
	}
	return site.Decide(newTestVerifier(tb, testConfig()), Request{Method: "POST", Path: "/", Header: header, Now: testNow}, nil)
}

// A token of one purpose is refused for every other: a key without its prefix is not a
// login token, a login token with the prefix is not a key, and neither is an assertion
// (RFC 8725, section 3.12).
func TestKeyOfAnotherPurpose(t *testing.T) {
	s := testSigners()[EdDSA]
	key := s.signKey(keyClaims())
	purpose := func(p Purpose, claims Claims) string {
		return s.signText(s.header(p), statementJSON(testStatement(claims)))
	}
	byLink := keyClaims()
	byLink.Method = "link"
	for name, authorization := range map[string]string{
		"key without the prefix":     "Token " + strings.TrimPrefix(key, KeyPrefix),
		"login token with prefix":    "Token " + KeyPrefix + s.sign(testClaims()),
		"assertion with prefix":      "Token " + KeyPrefix + purpose(PurposeAssertion, keyClaims()),
		"prefix twice":               "Token " + KeyPrefix + key,
		"prefix in upper case":       "Token " + strings.Replace(key, "eak_", "EAK_", 1),
		"login token of method key":  "Token " + purpose(PurposeLogin, keyClaims()),
		"key of method link":         "Token " + KeyPrefix + purpose(PurposeKey, byLink),
		"password without prefix":    basic("ada", strings.TrimPrefix(key, KeyPrefix)),
		"key as the user name":       basic(key, ""),
		"key as name and password x": basic(key, "x-oauth-basic"),
	} {
		if d := decideKey(t, authorization, nil); d.Status != 401 || d.Claims != nil {
			t.Errorf("Decide(%s) = %+v, want 401", name, d)
		}
	}
}

// A key of another realm, an expired one and one that was issued in the future are
// refused.
func TestKeyOfAnotherRealm(t *testing.T) {
	s, v := testSigners()[EdDSA], newTestVerifier(t, testConfig())
	sign := func(change func(*Statement)) string {
		statement := testStatement(keyClaims())
		change(&statement)
		return KeyPrefix + s.signText(s.header(PurposeKey), statementJSON(statement))
	}
	_, forged := otherKey(t)
	for name, test := range map[string]struct {
		key  string
		want error
	}{
		"issuer":   {sign(func(s *Statement) { s.Issuer += ":other" }), ErrClaims},
		"audience": {sign(func(s *Statement) { s.Audience = "other" }), ErrClaims},
		"expired":  {sign(func(s *Statement) { s.ExpiresAt = testNow.Unix() }), ErrExpired},
		"future":   {sign(func(s *Statement) { s.IssuedAt = testNow.Unix() + 3000 }), ErrClaims},
		"forged":   {KeyPrefix + signAs(EdDSA, forged, b64(s.header(PurposeKey))+"."+b64(statementJSON(testStatement(keyClaims())))), ErrSignature},
		"empty":    {KeyPrefix, ErrMalformed},
		"dots":     {KeyPrefix + "..", ErrUnknownKey},
	} {
		if claims, err := v.VerifyKey(test.key, testNow); claims != nil || !errors.Is(err, test.want) {
			t.Errorf("VerifyKey(%s) = %v, %v, want %v", name, claims, err, test.want)
		}
	}
}

// A cached key ends with its session, its user and its signing key like a token.
func TestRevokedKey(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*Verifier, *Revocations)
		want error
	}{
		"revoked": {func(_ *Verifier, r *Revocations) {
			r.Apply(Revocation{Kind: RevokeSession, ID: testSession, Until: testNow.AddDate(1, 0, 0)})
		}, ErrRevoked},
		"owner disabled": {func(_ *Verifier, r *Revocations) {
			r.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: testNow.AddDate(1, 0, 0)})
		}, ErrUserInactive},
		"signing key revoked": {func(v *Verifier, _ *Revocations) { v.SetKeys(nil) }, ErrUnknownKey},
	} {
		cfg := testConfig()
		cfg.Revocations = NewRevocations()
		v := newTestVerifier(t, cfg)
		key := testSigners()[EdDSA].signKey(keyClaims())
		if _, err := v.VerifyKey(key, testNow); err != nil || v.cached() != 1 {
			t.Fatalf("VerifyKey() = %v with %d tokens in the cache, want 1", err, v.cached())
		}
		test.end(v, cfg.Revocations)
		if _, err := v.VerifyKey(key, testNow); !errors.Is(err, test.want) {
			t.Errorf("VerifyKey(%s) = %v, want %v", name, err, test.want)
		}
	}
}

// A key is not a browser session: in a cookie, with or without its prefix, it
// identifies no user (CWE-352).
func TestKeyInCookie(t *testing.T) {
	key := testSigners()[EdDSA].signKey(keyClaims())
	for _, value := range []string{key, strings.TrimPrefix(key, KeyPrefix)} {
		if d := decideKey(t, "", Header{"Cookie": {"__Host-edgeauth=" + value}, "Sec-Fetch-Site": {"same-origin"}}); d.Claims != nil || d.Status != 401 {
			t.Errorf("Decide(key in a cookie) = %+v, want 401", d)
		}
	}
}

// Where only keys are accepted, the cookie of a login identifies no user, and no
// browser is led to the login page, which would send it back in a circle.
func TestCookieWhereOnlyKeysAreAccepted(t *testing.T) {
	login := testSigners()[EdDSA].sign(testClaims())
	site := Site{Credentials: Credentials{Keys: KeysOnly}, Browser: testBrowser(t)}
	header := Header{"Cookie": {"__Host-edgeauth=" + login}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	d := site.Decide(newTestVerifier(t, testConfig()), Request{Method: "GET", Path: "/", Header: header, Now: testNow}, nil)
	answer := Header{}
	d.Answer(answer)
	if d.Status != 401 || d.Claims != nil || answer[HeaderLogin] != nil || answer["Location"] != nil {
		t.Errorf("Decide(cookie) = %+v with %v, want 401 without a login page", d, answer)
	}
}

// A key has neither a time of login nor a second factor, and no login gives it one. So
// it is refused where they are required, without leading a client to log in.
func TestKeyIsNoRecentLogin(t *testing.T) {
	key := testSigners()[EdDSA].signKey(keyClaims())
	for name, policy := range map[string]Policy{
		"max_age": {MaxAge: 1 << 62},
		"acr":     {Require: []Requirement{{"acr", []string{"2"}}}},
		"amr":     {Require: []Requirement{{"amr", []string{"passkey"}}}},
	} {
		site := Site{Credentials: Credentials{Keys: KeysOn}, Policy: policy}
		d := site.Decide(newTestVerifier(t, testConfig()), Request{Header: Header{"Authorization": {"Token " + key}}, Now: testNow}, nil)
		if !errors.Is(d.Err, ErrForbidden) || d.Claims != nil {
			t.Errorf("Decide(key with %s) = %+v, want ErrForbidden", name, d)
		}
	}
}

// HTTP Basic is taken apart at the first colon, and nothing around the key is ignored.
func TestBasicTricks(t *testing.T) {
	key := testSigners()[EdDSA].signKey(keyClaims())
	for name, authorization := range map[string]string{
		"colon in the name":     basic("a:b", key),
		"colon before the key":  basic("", ":"+key),
		"line break in front":   basic("ada", "\r\n"+key),
		"line break after":      basic("ada", key+"\r\n"),
		"line break within":     basic("ada", key[:20]+"\r\n"+key[20:]),
		"NUL after":             basic("ada", key+"\x00"),
		"no colon":              "Basic " + base64.StdEncoding.EncodeToString([]byte(key)),
		"not encoded":           "Basic ada:" + key,
		"base64url":             "Basic " + strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimPrefix(basic("\xff\xfe\xfd", key), "Basic ")),
		"no padding":            strings.TrimRight(basic("adam", key), "=") + "=====",
		"broken by a blank":     basic("ada", key)[:40] + " " + basic("ada", key)[40:],
		"two":                   basic("ada", key) + ", " + basic("ada", key),
		"very long name":        basic(strings.Repeat("a", MaxAuthorization), key),
		"very long key":         basic("ada", KeyPrefix+strings.Repeat("a", MaxToken+1)),
		"in the scheme":         "Basic" + strings.TrimPrefix(basic("ada", key), "Basic "),
		"only the prefix":       basic("ada", KeyPrefix),
		"empty":                 "Basic ",
		"Basic of nothing else": "Basic =",
	} {
		if d := decideKey(t, authorization, nil); d.Status != 401 || d.Claims != nil {
			t.Errorf("Decide(%s) = %+v, want 401", name, d)
		}
	}
	for _, user := range []string{"", "ada", "root", "x\r\ny", "é", strings.Repeat("a", 2000)} {
		if d := decideKey(t, basic(user, key), nil); d.Claims == nil || d.Claims.Subject != testUser {
			t.Errorf("Decide(Basic with the name %.10q) = %+v, want the user of the key", user, d)
		}
	}
}

// Browsers store credentials of HTTP Basic and send them with requests of other sites'
// pages, as they do with cookies (CWE-352).
func TestBasicIsNotForged(t *testing.T) {
	key := basic("ada", testSigners()[EdDSA].signKey(keyClaims()))
	for _, browser := range []*Browser{nil, testBrowser(t)} {
		for name, test := range map[string]struct {
			method string
			header Header
			status int
		}{
			"program":                {"POST", Header{}, 0},
			"page of the site":       {"POST", Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"https://app.example.com"}}, 0},
			"link on another site":   {"GET", Header{"Sec-Fetch-Site": {"cross-site"}}, 0},
			"form on another site":   {"POST", Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, 403},
			"form of an old browser": {"POST", Header{"Origin": {"https://evil.example"}}, 403},
			"form without an origin": {"POST", Header{"Sec-Fetch-Site": {"same-site"}}, 403},
			"WebSocket":              {"GET", Header{"Upgrade": {"websocket"}, "Origin": {"https://evil.example"}}, 403},
		} {
			site := Site{Credentials: Credentials{Keys: KeysOn, Basic: true}, Browser: browser}
			test.header["Authorization"] = []string{key}
			d := site.Decide(newTestVerifier(t, testConfig()), Request{Method: test.method, Path: "/", Header: test.header, Now: testNow}, nil)
			if d.Status != test.status {
				t.Errorf("Decide(%s) = %+v, want status %d", name, d, test.status)
			}
		}
	}
}

// Neither the answer nor the reason contains a part of the key.
func TestRefusedKeyIsNotRepeated(t *testing.T) {
	key := testSigners()[EdDSA].signKey(keyClaims())
	for _, authorization := range []string{"Token " + key + "x", basic("ada", key+"x"), "Bearer " + flip(key)} {
		d := decideKey(t, authorization, nil)
		answer := Header{}
		d.Answer(answer)
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatalf("json.Marshal() failed: %v", err)
		}
		_, payload, signature := segments(key)
		for _, secret := range []string{payload, signature, KeyPrefix} {
			if all := string(text) + d.Body + d.Reason + d.Err.Error(); strings.Contains(all, secret) {
				t.Errorf("the refusal %s contains a part of the key", all)
			}
		}
	}
}

package provider

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// otherKinds are JWTs of one issuer and audience that are not ID tokens: a claim and
// its value, or the typ of the header.
var otherKinds = []struct {
	name, typ string
	claims    map[string]any
	// appOnly is set if the same token is accepted as the member id_token of a token
	// response.
	appOnly bool
}{
	{name: "an access token (RFC 9068)", typ: "at+jwt"},
	{name: "an access token with a full media type", typ: "application/at+jwt"},
	{name: "an access token in upper case", typ: "AT+JWT"},
	{name: "a logout token by its type", typ: "logout+jwt"},
	{name: "a security event", typ: "secevent+jwt"},
	{name: "a proof of possession", typ: "dpop+jwt"},
	{name: "a JWE-like type", typ: "JOSE"},
	{name: "a logout token by its claim", typ: "JWT", claims: map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}},
	{name: "events of a wrong type", typ: "JWT", claims: map[string]any{"events": true}},
	{name: "Keycloak's access token", typ: "JWT", claims: map[string]any{"typ": "Bearer"}},
	{name: "Keycloak's refresh token", typ: "JWT", claims: map[string]any{"typ": "Refresh"}},
	{name: "Keycloak's offline token", typ: "JWT", claims: map[string]any{"typ": "Offline"}},
	{name: "Keycloak's logout token", typ: "JWT", claims: map[string]any{"typ": "Logout"}},
	{name: "a claim typ of a wrong type", typ: "JWT", claims: map[string]any{"typ": []string{"ID"}}},
	{name: "Cognito's access token", typ: "JWT", claims: map[string]any{"token_use": "access"}},
	{name: "an access token without a type", claims: map[string]any{"client_id": testID, "scope": ""}, appOnly: true},
	{name: "an access token by its scope", typ: "JWT", claims: map[string]any{"scope": "openid email"}, appOnly: true},
	{name: "Okta's access token", claims: map[string]any{"cid": testID, "scp": []string{"openid"}}, appOnly: true},
	{name: "Entra's access token v1", typ: "JWT", claims: map[string]any{"appid": testID, "appidacr": "1"}, appOnly: true},
	{name: "Entra's access token v2", typ: "JWT", claims: map[string]any{"azpacr": "0"}, appOnly: true},
	{name: "Auth0's access token", typ: "JWT", claims: map[string]any{"gty": "password"}, appOnly: true},
}

// signedAs returns a signer that sets typ in the header; "" leaves it out.
func signedAs(typ string) func(map[string]any) string {
	return func(claims map[string]any) string {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
		token.Header["kid"], token.Header["typ"] = "kid-1", typ
		if typ == "" {
			delete(token.Header, "typ")
		}
		text, err := token.SignedString(testKeys().rsa)
		if err != nil {
			panic(err)
		}
		return text
	}
}

// TestHardeningOtherKindsOfTokens presents JWTs of another kind as ID tokens: they
// are sent to other services and their logs, none of which must be able to log in
// (RFC 8725, section 3.11; CWE-345).
func TestHardeningOtherKindsOfTokens(t *testing.T) {
	for _, test := range otherKinds {
		t.Run(test.name, func(t *testing.T) {
			s := googleScript(t)
			s.sign = signedAs(test.typ)
			_, err := s.verify(t, "", test.claims)
			wants(t, err, authcore.ErrProviderMismatch)

			s.claim(test.claims)
			_, err = s.exchange(s.provider())
			if test.appOnly {
				wants(t, err, nil)
			} else {
				wants(t, err, authcore.ErrProviderMismatch)
			}
		})
	}
}

// TestKindsOfIDTokens accepts every form in which servers label an ID token.
func TestKindsOfIDTokens(t *testing.T) {
	for _, test := range []struct {
		typ    string
		claims map[string]any
	}{
		{"", nil},
		{"JWT", nil},
		{"jwt", nil},
		{"application/jwt", nil},
		{"id_token+jwt", nil},
		{"JWT", map[string]any{"typ": "ID"}},
		{"JWT", map[string]any{"typ": nil, "events": nil}},
		{"", map[string]any{"token_use": "id"}},
		{"", map[string]any{"client_id": testID}},
	} {
		s := googleScript(t)
		s.sign = signedAs(test.typ)
		if _, err := s.verify(t, "", test.claims); err != nil {
			t.Errorf("VerifyIDToken() of %q %v = %v, want a profile", test.typ, test.claims, err)
		}
	}
}

// TestIDTokenLoginOption accepts ID tokens of applications only if the operator has
// an application (CWE-1188).
func TestIDTokenLoginOption(t *testing.T) {
	for _, test := range []struct {
		option    string
		audiences []string
		want      bool
	}{
		{"", nil, false},
		{"", []string{"com.example.ios"}, true},
		{"on", nil, true},
		{"on", []string{"com.example.ios"}, true},
		{"off", nil, false},
		{"off", []string{"com.example.ios"}, false},
	} {
		for _, kind := range []string{"google-oauth2", "apple-id", "facebook", "oidc", "azuread-oauth2"} {
			s := rowOf(t, kind).script(t)
			s.cfg.IDTokenLogin, s.cfg.Audiences = test.option, test.audiences
			if _, got := s.provider().(authcore.IDTokenVerifier); got != test.want {
				t.Errorf("%s with id_token_login %q and audience %v: accepts ID tokens = %t, want %t", kind, test.option, test.audiences, got, test.want)
			}
		}
	}
}

package gate

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations = NewRevocations()
	cfg.Revocations.Apply(Revocation{Kind: RevokeUser, ID: "disabled", Until: testNow.Add(time.Hour)})
	v := newTestVerifier(t, cfg)
	disabled := testClaims()
	disabled.Subject = "disabled"
	good := []string{"Token " + testSigners()[EdDSA].sign(testClaims())}
	one := []string{"x"}
	strict, optional := Policy{}, Policy{Optional: true}
	tests := []struct {
		name    string
		policy  Policy
		request Request
		reason  string
		body    string // "": proceeds
	}{
		{"good", strict, Request{Header: Header{"Authorization": good}}, ReasonAuthenticated, ""},
		{"good, optional", optional, Request{Header: Header{"Authorization": good}}, ReasonAuthenticated, ""},
		{"good, OPTIONS", strict, Request{Method: "OPTIONS", Header: Header{"Authorization": good}}, ReasonAuthenticated, ""},
		{"none", strict, Request{}, "no_credentials", BodyNoCredentials},
		{"none, optional", optional, Request{}, ReasonAnonymous, ""},
		{"other scheme, optional", optional, Request{Header: Header{"Authorization": []string{"Bearer x"}}}, ReasonAnonymous, ""},
		{"bad, optional", optional, Request{Header: Header{"Authorization": []string{"Token x"}}}, "malformed", BodyInvalidToken},
		{"scheme alone, optional", optional, Request{Header: Header{"Authorization": []string{"Token"}}}, "empty_credentials", BodyEmptyCredentials},
		{"two headers, optional", optional, Request{Header: Header{"Authorization": []string{good[0], good[0]}}}, "spaces", BodySpaces},
		{"two words", strict, Request{Header: Header{"Authorization": []string{"Token a b"}}}, "spaces", BodySpaces},
		{"not UTF-8", strict, Request{Header: Header{"Authorization": []string{"Token \xff"}}}, "invalid_characters", BodyInvalidCharacters},
		{"5 kB of noise", strict, Request{Header: Header{"Authorization": []string{"Token " + strings.Repeat("x", 5000)}}}, "malformed", BodyInvalidToken},
		{"user disabled", strict, Request{Header: Header{"Authorization": []string{"Token " + testSigners()[EdDSA].sign(disabled)}}}, "user_inactive", BodyUserInactive},
		{"preflight", strict, Request{Method: "OPTIONS", Header: Header{"Origin": one, "Access-Control-Request-Method": one}}, ReasonPreflight, ""},
		{"preflight with a bad token", strict, Request{Method: "OPTIONS", Header: Header{"Origin": one, "Access-Control-Request-Method": one, "Authorization": one}}, ReasonPreflight, ""},
		{"OPTIONS alone", strict, Request{Method: "OPTIONS"}, "no_credentials", BodyNoCredentials},
		{"OPTIONS without the method", strict, Request{Method: "OPTIONS", Header: Header{"Origin": one}}, "no_credentials", BodyNoCredentials},
		{"OPTIONS without the origin", strict, Request{Method: "OPTIONS", Header: Header{"Access-Control-Request-Method": one}}, "no_credentials", BodyNoCredentials},
		{"OPTIONS with an empty origin", strict, Request{Method: "OPTIONS", Header: Header{"Origin": []string{""}, "Access-Control-Request-Method": one}}, "no_credentials", BodyNoCredentials},
		{"OPTIONS with two origins", strict, Request{Method: "OPTIONS", Header: Header{"Origin": []string{"x", "y"}, "Access-Control-Request-Method": one}}, "no_credentials", BodyNoCredentials},
		{"options", strict, Request{Method: "options", Header: Header{"Origin": one, "Access-Control-Request-Method": one}}, "no_credentials", BodyNoCredentials},
		{"GET like a preflight", strict, Request{Method: "GET", Header: Header{"Origin": one, "Access-Control-Request-Method": one}}, "no_credentials", BodyNoCredentials},
		{"recent", Policy{MaxAge: 2 * time.Minute}, Request{Header: Header{"Authorization": good}}, ReasonAuthenticated, ""},
		{"too old", Policy{MaxAge: 2*time.Minute - 1}, Request{Header: Header{"Authorization": good}}, "too_old", `{"detail":"This request requires another login.","code":"insufficient_user_authentication","max_age":119}`},
		{"requirement met", Policy{Require: []Requirement{{"method", []string{"link"}}}}, Request{Header: Header{"Authorization": good}}, ReasonAuthenticated, ""},
		{"one of two met", Policy{Require: []Requirement{{"method", []string{"link"}}, {"client", []string{"x"}}}}, Request{Header: Header{"Authorization": good}}, "forbidden", BodyForbidden},
		{"requirement, no token", Policy{Require: []Requirement{{"method", []string{"link"}}}}, Request{}, "no_credentials", BodyNoCredentials},
		{"requirement, no token, not validated", Policy{Optional: true, Require: []Requirement{{"method", []string{"link"}}}}, Request{}, "no_credentials", BodyNoCredentials},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.request.Now = testNow
			d := test.policy.decide(v, Credentials{}, &test.request)
			status := 0
			if test.body == BodyForbidden {
				status = 403
			} else if test.body != "" {
				status = 401
			}
			if d.Reason != test.reason || d.Body != test.body || d.Status != status || (d.Err == nil) != (status == 0) {
				t.Errorf("Decide = %+v, want status %d, reason %s", d, status, test.reason)
			}
			if (d.Claims != nil) != (d.Reason == ReasonAuthenticated) || d.Preflight != (d.Reason == ReasonPreflight) {
				t.Errorf("Decide gave claims %v and preflight %t, want those of %s", d.Claims, d.Preflight, d.Reason)
			}
		})
	}
}

// A token without the time of the login is too old for every limit.
func TestMaxAgeWithoutAuthTime(t *testing.T) {
	claims := testClaims()
	claims.AuthTime = 0
	p := Policy{MaxAge: 100 * 365 * 24 * time.Hour}
	request := Request{Now: testNow, Header: Header{"Authorization": []string{"Token " + testSigners()[HS256].sign(claims)}}}
	if d := p.decide(newTestVerifier(t, testConfig()), Credentials{}, &request); !errors.Is(d.Err, ErrTooOld) {
		t.Errorf("Decide = %+v, want ErrTooOld", d)
	}
}

// A request with a verified token allocates nothing, whatever the policy: from Clean
// to Forward.
func TestHotPathAllocatesNothing(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations = manyRevocations(1000)
	cfg.Seen = func(*Claims, time.Time) {}
	v := newTestVerifier(t, cfg)
	site := Site{
		Policy: Policy{
			MaxAge:  time.Hour,
			Require: []Requirement{{"email_domain", []string{"Example.com"}}, {"method", []string{"code", "link"}}, {"amr", []string{"mail"}}, {"acr", []string{"1"}}},
		},
		Public:  PublicPaths{"/static/*"},
		Headers: defaultHeaders(),
	}
	authorization := []string{"Token " + testSigners()[RS256].sign(testClaims())}
	header := Header{"Accept": {"*/*"}, "Connection": {"keep-alive"}, "Origin": {"https://a.example"}}
	var d Decision // part of what a host allocates for a request anyway
	n := testing.AllocsPerRun(100, func() {
		header["Authorization"] = authorization
		new(Site).Clean(header)
		d = site.Decide(v, Request{Method: "GET", Path: "/items", Header: header, Now: testNow}, func(string) bool { return true })
		if d.Claims == nil {
			t.Errorf("Decide = %+v, want claims", d)
		}
		site.Forward(&d, header)
	})
	if n != 0 {
		t.Errorf("the hot path makes %v allocations, want none", n)
	}
	if header[HeaderUserID][0] != testUser || header[HeaderEmail][0] != "ada@example.com" || header["Authorization"] != nil {
		t.Errorf("Forward left %v, want the identity headers and no token", header)
	}
}

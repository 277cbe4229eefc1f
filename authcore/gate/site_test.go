package gate

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// header is a RequestHeader and a ResponseHeader.
type header map[string]string

func (h header) Set(name, value string) { h[name] = value }
func (h header) Del(name string)        { delete(h, name) }

func (h header) Add(name, value string) {
	if h[name] != "" {
		value = h[name] + ", " + value
	}
	h[name] = value
}

func TestSite(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	good := []string{"Token " + testSigners()[EdDSA].sign(testClaims())}
	origin, put := []string{"https://a.example"}, []string{"PUT"}
	allow := func(origin string) bool { return origin == "https://a.example" }
	site := Site{Public: PublicPaths{"/public"}, Headers: []string{HeaderUserID, HeaderAssertion}}
	for name, test := range map[string]struct {
		request Request
		status  int
		reason  string
		claims  bool
	}{
		"good":                       {Request{Authorization: good}, 0, ReasonAuthenticated, true},
		"none":                       {Request{}, 401, "no_credentials", false},
		"public":                     {Request{Path: "/public"}, 0, ReasonAnonymous, false},
		"public, good":               {Request{Path: "/public", Authorization: good}, 0, ReasonAuthenticated, true},
		"public, bad":                {Request{Path: "/public", Authorization: []string{"Token x"}}, 0, ReasonAnonymous, false},
		"preflight":                  {Request{Method: "OPTIONS", Origin: origin, AccessControlRequestMethod: put}, 204, ReasonPreflight, false},
		"preflight of a stranger":    {Request{Method: "OPTIONS", Origin: put, AccessControlRequestMethod: put}, 0, ReasonPreflight, false},
		"preflight with a body":      {Request{Method: "OPTIONS", Origin: put, AccessControlRequestMethod: put, HasBody: true}, 401, "no_credentials", false},
		"two origins":                {Request{Method: "OPTIONS", Origin: append(origin, origin...), AccessControlRequestMethod: put}, 401, "no_credentials", false},
		"preflight without a method": {Request{Method: "OPTIONS", Origin: origin}, 401, "no_credentials", false},
	} {
		test.request.Now = testNow
		d := site.Decide(v, test.request, allow)
		if d.Status != test.status || d.Reason != test.reason || (d.Claims != nil) != test.claims {
			t.Errorf("%s: got %+v", name, d)
		}
	}
	if d := site.Decide(v, Request{Method: "OPTIONS", Origin: origin, AccessControlRequestMethod: put, Now: testNow}, nil); d.Status != 0 {
		t.Errorf("an origin is allowed by nobody: %+v", d)
	}
}

func TestForward(t *testing.T) {
	claims := testClaims()
	site := Site{Headers: []string{HeaderUserID, HeaderAssertion}}
	h := header{"Authorization": "x", "Cookie": "y"}
	site.Forward(&Decision{Claims: &claims}, h)
	if !maps.Equal(h, header{"Cookie": "y", HeaderUserID: testUser}) { // an assertion has no value here
		t.Errorf("got %v", h)
	}
	site.ForwardToken = true
	h = header{"Authorization": "x", "Cookie": "y", "X-Http-Method": "z"}
	site.Forward(&Decision{Claims: &claims}, h)
	if h["Authorization"] != "x" {
		t.Errorf("got %v", h)
	}
	site.Forward(&Decision{Preflight: true}, h)
	if !maps.Equal(h, header{HeaderUserID: testUser}) {
		t.Errorf("a preflight has %v", h)
	}
}

func TestDecisionHeader(t *testing.T) {
	preflight := Request{
		Method: "OPTIONS", Origin: []string{"https://a.example"}, AccessControlRequestMethod: []string{"PUT"},
		AccessControlRequestHeaders: []string{"authorization"},
	}
	answered, ok := preflight.Preflight(func(string) bool { return true })
	if !ok {
		t.Fatal("not answered")
	}
	for _, test := range []struct {
		decision Decision
		want     header
	}{
		{refuse(ErrExpired), header{"WWW-Authenticate": "Token", "Content-Type": "application/json", "Cache-Control": "no-store"}},
		{refuse(ErrForbidden), header{"Content-Type": "application/json", "Cache-Control": "no-store"}},
		{Unavailable(nil), header{"Retry-After": "5", "Content-Type": "application/json", "Cache-Control": "no-store"}},
		{answered, header{
			"Vary":                         "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
			"Access-Control-Allow-Origin":  "https://a.example",
			"Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
			"Access-Control-Allow-Headers": "authorization", "Access-Control-Max-Age": "600",
		}},
	} {
		got := header{}
		test.decision.Header(got)
		if !maps.Equal(got, test.want) {
			t.Errorf("%d: got %v", test.decision.Status, got)
		}
	}
}

// A client must not have the headers deleted that are set for it (RFC 9110,
// section 7.6.1).
func TestKeptConnection(t *testing.T) {
	for _, test := range []struct {
		values  []string
		kept    string
		changed bool
	}{
		{nil, "", false},
		{[]string{"keep-alive"}, "", false},
		{[]string{"close, , x-other"}, "", false},
		{[]string{"X-Auth-User-Id"}, "", true},
		{[]string{"close, x_auth_email ,upgrade", "AUTHORIZATION"}, "close, upgrade", true},
		{[]string{"authorizations"}, "", false},
	} {
		if kept, changed := KeptConnection(test.values); kept != test.kept || changed != test.changed {
			t.Errorf("%q: got %q, %t", test.values, kept, changed)
		}
	}
}

func TestChosenHeaders(t *testing.T) {
	for _, test := range []struct {
		configured, want []string
	}{
		{nil, []string{HeaderUserID, HeaderEmail}},
		{[]string{"off"}, nil},
		{[]string{"all"}, Headers[:7]},
		{[]string{"x-auth-name", "X-AUTH-NAME", "X-Auth-Method"}, []string{HeaderName, HeaderMethod}},
	} {
		if got, err := ChosenHeaders(test.configured); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, %v", test.configured, got, err)
		}
	}
	for _, bad := range [][]string{{"X-User"}, {"all", "off"}, {HeaderAssertion}, {""}} {
		if got, err := ChosenHeaders(bad); err == nil {
			t.Errorf("%q: got %q", bad, got)
		}
	}
	all, err := ChosenHeaders([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	all[0] = "changed"
	if fmt.Sprint(Headers[0]) != HeaderUserID {
		t.Error("the list of the package was handed out")
	}
}

package gate

import (
	"reflect"
	"slices"
	"testing"
)

func TestSite(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	good := []string{"Token " + testSigners()[EdDSA].sign(testClaims())}
	ours, other, put := []string{"https://a.example"}, []string{"https://b.example"}, []string{"PUT"}
	allow := func(origin string) bool { return origin == "https://a.example" }
	site := Site{Public: PublicPaths{"/public"}}
	preflight := func(origin []string) Header {
		return Header{"Origin": origin, "Access-Control-Request-Method": put}
	}
	for name, test := range map[string]struct {
		request Request
		status  int
		reason  string
		claims  bool
		origin  string
	}{
		"valid token":                 {Request{Header: Header{"Authorization": good}}, 0, ReasonAuthenticated, true, ""},
		"no token":                    {Request{}, 401, "no_credentials", false, ""},
		"no token, from our origin":   {Request{Header: Header{"Origin": ours}}, 401, "no_credentials", false, ours[0]},
		"valid, from our origin":      {Request{Header: Header{"Origin": ours, "Authorization": good}}, 0, ReasonAuthenticated, true, ours[0]},
		"valid, from another origin":  {Request{Header: Header{"Origin": other, "Authorization": good}}, 0, ReasonAuthenticated, true, ""},
		"public path":                 {Request{Path: "/public"}, 0, ReasonAnonymous, false, ""},
		"public path, valid token":    {Request{Path: "/public", Header: Header{"Authorization": good}}, 0, ReasonAuthenticated, true, ""},
		"public path, invalid token":  {Request{Path: "/public", Header: Header{"Authorization": []string{"Token x"}}}, 0, ReasonAnonymous, false, ""},
		"preflight":                   {Request{Method: "OPTIONS", Header: preflight(ours)}, 204, ReasonPreflight, false, ours[0]},
		"preflight of another origin": {Request{Method: "OPTIONS", Header: preflight(other)}, 0, ReasonPreflight, false, ""},
		"preflight with a body":       {Request{Method: "OPTIONS", Header: preflight(other), HasBody: true}, 401, "no_credentials", false, ""},
		"preflight with two origins":  {Request{Method: "OPTIONS", Header: preflight(slices.Concat(ours, ours))}, 401, "no_credentials", false, ""},
		"preflight without a method":  {Request{Method: "OPTIONS", Header: Header{"Origin": ours}}, 401, "no_credentials", false, ours[0]},
	} {
		test.request.Now = testNow
		d := site.Decide(v, test.request, allow)
		if d.Status != test.status || d.Reason != test.reason || (d.Claims != nil) != test.claims || d.Origin != test.origin {
			t.Errorf("%s: Decide = %+v, want status %d, reason %s, origin %q", name, d, test.status, test.reason, test.origin)
		}
	}
	if d := site.Decide(v, Request{Method: "OPTIONS", Header: preflight(ours), Now: testNow}, nil); d.Status != 0 || d.Origin != "" {
		t.Errorf("Decide without origins = %+v, want the preflight to proceed", d)
	}
}

// Forward removes the token and keeps credentials of other schemes, which an
// application may check on paths that need no token.
func TestForward(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	token := "Token " + testSigners()[EdDSA].sign(testClaims())
	all := []string{HeaderUserID, HeaderAssertion, HeaderEmail, HeaderMethod}
	identity := Header{HeaderUserID: {testUser}, HeaderEmail: {"ada@example.com"}, HeaderMethod: {"link"}}
	with := func(authorization ...string) Header {
		h := Header{"Authorization": authorization}
		for name, values := range identity {
			h[name] = values
		}
		return h
	}
	basic := Header{"Authorization": {"Basic YTpi"}}
	for _, test := range []struct {
		name          string
		site          Site
		authorization []string
		want          Header
	}{
		{"token", Site{Headers: all}, []string{token}, identity},
		{"token kept", Site{Headers: all, ForwardToken: true}, []string{token}, with(token)},
		{"optional, token", Site{Headers: all, Policy: Policy{Optional: true}}, []string{token}, identity},
		{"optional, none", Site{Policy: Policy{Optional: true}}, nil, Header{}},
		{"optional, another scheme", Site{Policy: Policy{Optional: true}}, basic["Authorization"], basic},
		{"optional, bearer", Site{Policy: Policy{Optional: true}}, []string{"Bearer x"}, Header{"Authorization": {"Bearer x"}}},
		{"public, another scheme", Site{Public: PublicPaths{"/"}}, basic["Authorization"], basic},
		{"public, invalid token", Site{Public: PublicPaths{"/"}}, []string{"token x"}, Header{}},
		{"public, scheme alone", Site{Public: PublicPaths{"/"}}, []string{" TOKEN"}, Header{}},
		{"public, both", Site{Public: PublicPaths{"/"}}, []string{"Basic YTpi", "Token x"}, Header{}},
		{"public, valid token", Site{Headers: all, Public: PublicPaths{"/"}}, []string{token}, identity},
	} {
		h := Header{}
		if test.authorization != nil {
			h["Authorization"] = test.authorization
		}
		d := test.site.Decide(v, Request{Path: "/", Header: h, Now: testNow}, nil)
		test.site.Forward(&d, h)
		if d.Status != 0 || !reflect.DeepEqual(h, test.want) {
			t.Errorf("%s: status %d, header %v, want 0, %v", test.name, d.Status, h, test.want)
		}
	}
}

// A preflight that passes without a token carries nothing that would make another
// request of it.
func TestForwardPreflight(t *testing.T) {
	h := Header{
		"Authorization": {"Basic YTpi"}, "Cookie": {"a=b"}, "Upgrade": {"websocket"}, "X-Http-Method-Override": {"DELETE"},
		"Origin": {"https://b.example"}, "Access-Control-Request-Method": {"PUT"},
	}
	site := Site{ForwardToken: true}
	d := site.Decide(NewVerifier(testConfig()), Request{Method: "OPTIONS", Header: h}, nil)
	site.Forward(&d, h)
	want := Header{"Origin": {"https://b.example"}, "Access-Control-Request-Method": {"PUT"}}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("Forward left %v, want %v", h, want)
	}
}

func TestChosenHeaders(t *testing.T) {
	for _, test := range []struct {
		configured, want []string
	}{
		{nil, []string{HeaderUserID, HeaderEmail}},
		{[]string{"off"}, nil},
		{[]string{"all"}, Headers[:8]},
		{[]string{"x-auth-name", "X-AUTH-NAME", "X-Auth-Method"}, []string{HeaderName, HeaderMethod}},
	} {
		if got, _, err := ChosenHeaders(test.configured); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("ChosenHeaders(%q) = %q, %v, want %q", test.configured, got, err, test.want)
		}
	}
	for _, bad := range [][]string{{"X-User"}, {"all", "off"}, {HeaderAssertion}, {""}} {
		if got, _, err := ChosenHeaders(bad); err == nil {
			t.Errorf("ChosenHeaders(%q) = %q, want an error", bad, got)
		}
	}
	all, _, err := ChosenHeaders([]string{"all"})
	if err != nil {
		t.Fatalf("ChosenHeaders(all) = %v", err)
	}
	all[0] = "changed"
	if Headers[0] != HeaderUserID {
		t.Error("ChosenHeaders returned the list of the package, want a copy")
	}
}

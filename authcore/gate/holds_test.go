package gate

import (
	"testing"
	"time"
)

func TestHoldsUntil(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	claims := testClaims()
	token := testSigners()[EdDSA].sign(claims)
	bearer := Header{"Authorization": {"Token " + token}}
	cookie := Header{"Cookie": {"__Host-edgeauth=" + token}}
	half := claims.halfLife()
	for name, test := range map[string]struct {
		site    Site
		request Request
		want    int64
	}{
		"token":                        {Site{}, Request{Header: bearer}, claims.ExpiresAt},
		"token, limited age":           {Site{Policy: Policy{MaxAge: time.Hour}}, Request{Header: bearer}, claims.AuthTime + 3600},
		"token, long limit":            {Site{Policy: Policy{MaxAge: 9 * time.Hour}}, Request{Header: bearer}, claims.ExpiresAt},
		"no token":                     {Site{Policy: Policy{Optional: true}}, Request{}, 0},
		"refused":                      {Site{}, Request{}, 0},
		"OPTIONS":                      {Site{}, Request{Method: "OPTIONS", Header: bearer}, 0},
		"public path":                  {Site{Public: PublicPaths{"/x"}}, Request{Header: bearer}, claims.ExpiresAt},
		"public path, missing claim":   {Site{Public: PublicPaths{"/x"}, Policy: Policy{Require: []Requirement{{Field: "client", Values: []string{"ios"}}}}}, Request{Header: bearer}, 0},
		"public path, without token":   {Site{Public: PublicPaths{"/x"}}, Request{}, 0},
		"cookie":                       {Site{Browser: testBrowser(t)}, Request{Header: cookie}, half + 1},
		"cookie, second half":          {Site{Browser: testBrowser(t)}, Request{Header: cookie, Now: time.Unix(half+1, 0)}, claims.ExpiresAt},
		"two cookies":                  {Site{Browser: testBrowser(t)}, Request{Header: Header{"Cookie": {"__Host-edgeauth=x; __Host-edgeauth=" + token}}}, 0},
		"token on a site with a login": {Site{Browser: testBrowser(t)}, Request{Header: bearer}, claims.ExpiresAt},
		"path of the login page":       {Site{Browser: testBrowser(t)}, Request{Path: "/auth/account", Header: cookie}, 0},
	} {
		r := test.request
		if r.Method == "" {
			r.Method = "GET"
		}
		if r.Path == "" {
			r.Path = "/x"
		}
		if r.Now.IsZero() {
			r.Now = testNow
		}
		d := test.site.Decide(v, r, nil)
		if got := test.site.HoldsUntil(&d, &r); got != test.want {
			t.Errorf("%s: HoldsUntil = %d, want %d", name, got, test.want)
		}
	}
}

// A decision that holds is the one for every other path and time until then, and the one
// after that differs.
func TestDecisionHolds(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	token := testSigners()[EdDSA].sign(testClaims())
	page := Header{"Cookie": {"__Host-edgeauth=" + token}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	for name, test := range map[string]struct {
		site   Site
		header Header
	}{
		"token":       {Site{Public: PublicPaths{"/health"}}, Header{"Authorization": {"Token " + token}}},
		"limited age": {Site{Policy: Policy{MaxAge: time.Hour}}, Header{"Authorization": {"Token " + token}}},
		"page":        {Site{Browser: testBrowser(t), Public: PublicPaths{"/health"}}, page},
	} {
		r := Request{Method: "GET", Header: test.header, Path: "/", Now: testNow}
		first := test.site.Decide(v, r, nil)
		until := test.site.HoldsUntil(&first, &r)
		for _, path := range []string{"/", "/health", "/a%2fb", "/authors"} {
			r.Path, r.Now = path, time.Unix(until-1, 0)
			if test.site.IsLoginPath(path) {
				t.Errorf("%s: IsLoginPath(%s) = true, want false", name, path)
			}
			if d := test.site.Decide(v, r, nil); d.Claims != first.Claims || d.Status != first.Status || d.byCookie != first.byCookie {
				t.Errorf("%s: Decide(%s) before the end = %+v, want %+v", name, path, d, first)
			}
		}
		r.Path, r.Now = "/", time.Unix(until+1, 0)
		if d := test.site.Decide(v, r, nil); d.Status == first.Status {
			t.Errorf("%s: Decide after the end = %+v, want another decision", name, d)
		}
	}
}

func TestIsLoginPath(t *testing.T) {
	elsewhere, err := NewBrowser(BrowserConfig{Origin: "https://app.example.com", Login: "https://login.example.com/auth"})
	if err != nil {
		t.Fatalf("NewBrowser = %v", err)
	}
	for name, test := range map[string]struct {
		site     Site
		has, own bool
	}{
		"no login page": {Site{}, false, false},
		"same origin":   {Site{Browser: testBrowser(t)}, true, true},
		"other origin":  {Site{Browser: elsewhere}, false, false},
	} {
		if has, own := test.site.HasLoginPaths(), test.site.IsLoginPath("/auth/account"); has != test.has || own != test.own {
			t.Errorf("%s: HasLoginPaths, IsLoginPath = %v, %v, want %v, %v", name, has, own, test.has, test.own)
		}
	}
}

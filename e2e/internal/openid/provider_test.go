package openid

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestProvider walks the code flow by hand, so that a failing login test cannot
// be the provider's fault.
func TestProvider(t *testing.T) {
	t.Parallel()
	const callback = "http://app.test/callback"
	provider := Start(t, Options{ClientID: "edge", ClientSecret: "s3cret", RedirectURIs: []string{callback}})
	provider.SignIn(Person{Subject: "42", Email: "ann@example.com", EmailVerified: true})
	// RFC 7636, appendix B.
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	asked := url.Values{
		"response_type": {"code"}, "client_id": {"edge"}, "redirect_uri": {callback},
		"scope": {"openid email"}, "state": {"st"}, "nonce": {"n"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	back := provider.Browse(t, provider.Issuer+"/authorize?"+asked.Encode(), callback)
	if back.Get("state") != "st" || back.Get("code") == "" {
		t.Fatalf("sent back with %v", back)
	}
	redeem := func(verifier string) int {
		form := url.Values{
			"grant_type": {"authorization_code"}, "code": {back.Get("code")},
			"redirect_uri": {callback}, "code_verifier": {verifier},
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, provider.Issuer+"/oauth/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth("edge", "s3cret")
		response, err := provider.server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	if got := redeem(verifier + "x"); got != http.StatusBadRequest {
		t.Errorf("a wrong verifier: %d", got)
	}
	if got := redeem(verifier); got != http.StatusOK {
		t.Errorf("the right verifier: %d", got)
	}
	if got := redeem(verifier); got != http.StatusBadRequest {
		t.Errorf("the code a second time: %d", got)
	}
}

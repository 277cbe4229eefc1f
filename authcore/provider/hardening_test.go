package provider

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func accessHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// TestIDTokenClaims replays correctly signed ID tokens that were issued for another
// user, client or time (OpenID Connect Core 1.0, section 3.1.3.7; CWE-294,
// CWE-345).
func TestIDTokenClaims(t *testing.T) {
	minutes := func(n int) int64 { return testTime.Add(time.Duration(n) * time.Minute).Unix() }
	absent := new(struct{})
	for _, test := range []struct {
		name  string
		claim string
		value any
		want  error
	}{
		{"another issuer", "iss", "https://evil.example", authcore.ErrProviderMismatch},
		{"issuer with a slash more", "iss", testIssuer + "/", authcore.ErrProviderMismatch},
		{"issuer in upper case", "iss", strings.ToUpper(testIssuer), authcore.ErrProviderMismatch},
		{"Google's short issuer elsewhere", "iss", "accounts.google.com", authcore.ErrProviderMismatch},
		{"no issuer", "iss", absent, authcore.ErrProviderMismatch},
		{"issuer under another case of its name", "ISS", testIssuer, nil},
		{"another client's", "aud", "client-2", authcore.ErrProviderMismatch},
		{"an audience that begins alike", "aud", testID + "0", authcore.ErrProviderMismatch},
		{"no audience", "aud", absent, authcore.ErrProviderMismatch},
		{"empty audiences", "aud", []string{}, authcore.ErrProviderMismatch},
		{"one audience as a list", "aud", []string{testID}, nil},
		{"our audience repeated without azp", "aud", []string{testID, testID}, nil},
		{"null as azp", "azp", nil, nil},
		{"a list as azp", "azp", []string{testID}, authcore.ErrProviderMismatch},
		{"audiences without azp", "aud", []string{testID, "client-2"}, authcore.ErrProviderMismatch},
		{"another party", "azp", "client-2", authcore.ErrProviderMismatch},
		{"our party", "azp", testID, nil},
		{"party of a wrong type", "azp", 1, authcore.ErrProviderMismatch},
		{"expired", "exp", minutes(-1), authcore.ErrProviderMismatch},
		{"expires now", "exp", minutes(0), authcore.ErrProviderMismatch},
		{"no expiry", "exp", absent, authcore.ErrProviderMismatch},
		{"no time at all", "exp", -1, authcore.ErrProviderMismatch},
		{"expiry beyond time", "exp", json.Number("1e300"), authcore.ErrProviderMismatch},
		{"expiry of a wrong type", "exp", []int{1}, authcore.ErrProviderFailed},
		{"expiry as a string", "exp", fmt.Sprint(minutes(5)), nil},
		{"expiry in the past as a string", "exp", fmt.Sprint(minutes(-1)), authcore.ErrProviderMismatch},
		{"expiry in words", "exp", "Infinity", authcore.ErrProviderFailed},
		{"no time of issue", "iat", absent, authcore.ErrProviderMismatch},
		{"issued within the leeway", "iat", minutes(1), nil},
		{"time of issue with a fraction", "iat", json.Number(fmt.Sprintf("%d.75", minutes(0))), nil},
		{"issued in the future as a string", "iat", fmt.Sprint(minutes(2)), authcore.ErrProviderMismatch},
		{"issued in the future", "iat", minutes(1) + 1, authcore.ErrProviderMismatch},
		{"issued just in time", "iat", minutes(-10), nil},
		{"issued long ago", "iat", minutes(-10) - 1, authcore.ErrProviderMismatch},
		{"not valid yet", "nbf", minutes(5), authcore.ErrProviderMismatch},
		{"another login's nonce", "nonce", "nonce-2", authcore.ErrProviderMismatch},
		{"no nonce", "nonce", absent, authcore.ErrProviderMismatch},
		{"nonce under another case of its name", "NONCE", "nonce-1", nil},
		{"right at_hash", "at_hash", accessHash(testAccess), nil},
		{"at_hash of another access token", "at_hash", accessHash("other"), authcore.ErrProviderMismatch},
		{"null as at_hash", "at_hash", nil, nil},
		{"empty at_hash", "at_hash", "", authcore.ErrProviderMismatch},
		{"empty subject", "sub", "", authcore.ErrProviderFailed},
		{"blank subject", "sub", " ", authcore.ErrProviderFailed},
		{"subject None", "sub", "None", authcore.ErrProviderFailed},
		{"subject null", "sub", nil, authcore.ErrProviderFailed},
		{"no subject", "sub", absent, authcore.ErrProviderFailed},
		{"numeric subject", "sub", 1, authcore.ErrProviderFailed},
		{"subject in a list", "sub", []string{"subject-1"}, authcore.ErrProviderFailed},
		{"subject with a NUL", "sub", "subject-1\x00", authcore.ErrProviderFailed},
		{"subject with a blank after it", "sub", "subject-1 ", authcore.ErrProviderFailed},
		{"endless subject", "sub", strings.Repeat("1", maxSubject+1), authcore.ErrProviderFailed},
		{"subject under another case of its name", "Sub", "subject-2", nil},
		{"e-mail of a wrong type", "email", []string{"ada@example.com"}, authcore.ErrProviderFailed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := oidcScript(t)
			s.claims[test.claim] = test.value
			if test.value == absent {
				delete(s.claims, test.claim)
			}
			s.answer(s.at.userInfo, 200, map[string]any{"sub": s.claims["sub"]})
			profile, err := s.exchange(s.provider())
			wants(t, err, test.want)
			if err == nil && (profile.Subject != "subject-1" || profile.Issuer != testIssuer) {
				t.Errorf("exchange() = %+v", profile)
			}
		})
	}
}

// TestMemberNamesAreExact concerns providers whose users choose names of account
// attributes: encoding/json would accept "Email_Verified" for "email_verified" and
// verify any address (CWE-178).
func TestMemberNamesAreExact(t *testing.T) {
	s := oidcScript(t)
	s.answer(s.at.userInfo, 200, `{"sub":"subject-1","email":"victim@example.com","email_verified":false,"Email_Verified":true,"SUB":"subject-2"}`)
	profile, err := s.exchange(s.provider())
	if err != nil || profile.EmailVerified || profile.Subject != "subject-1" {
		t.Errorf("exchange() = %+v, %v", profile, err)
	}
}

// TestAddressAndStatusFromOneDocument does not apply email_verified of the ID token
// to another address in the user info.
func TestAddressAndStatusFromOneDocument(t *testing.T) {
	s := oidcScript(t).claim(map[string]any{"email_verified": true})
	s.answer(s.at.userInfo, 200, `{"sub":"subject-1","email":"victim@example.com"}`)
	profile, err := s.exchange(s.provider())
	if err != nil || profile.EmailVerified || profile.Email != "victim@example.com" {
		t.Errorf("exchange() = %+v, %v", profile, err)
	}

	s = oidcScript(t).claim(map[string]any{"email": "mine@example.com", "email_verified": false})
	s.answer(s.at.userInfo, 200, `{"sub":"subject-1","email":"victim@example.com","email_verified":true}`)
	profile, err = s.exchange(s.provider())
	if err != nil || profile.EmailVerified || profile.Email != "mine@example.com" {
		t.Errorf("exchange() = %+v, %v", profile, err)
	}
}

// TestNonceIsOptional for logins without a nonce only.
func TestNonceIsOptional(t *testing.T) {
	s := oidcScript(t)
	s.nonce = ""
	delete(s.claims, "nonce")
	if _, err := s.exchange(s.provider()); err != nil {
		t.Errorf("provider() failed: %v", err)
	}
}

// TestStrippedNonce presents a code that was stolen from a login with a nonce,
// without the state and therefore without a nonce. At a provider without PKCE
// nothing else binds the code to its login (RFC 9700, section 4.5.3.2; CWE-294).
func TestStrippedNonce(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		s := r.script(t)
		if s.claims["nonce"] == nil {
			t.Skip("the kind has no nonce")
		}
		s.nonce = ""
		_, err := r.login(s)
		wants(t, err, authcore.ErrProviderMismatch)
	})
}

// TestCodeReplay redeems a code twice.
func TestCodeReplay(t *testing.T) {
	for _, build := range []func(*testing.T) *script{googleScript, githubScript, oidcScript} {
		s := build(t)
		p := s.provider()
		if _, err := s.exchange(p); err != nil {
			t.Fatalf("exchange() failed: %v", err)
		}
		_, err := s.exchange(p)
		wants(t, err, authcore.ErrProviderDenied)
		if n := len(s.to(s.at.token)); n != 2 {
			t.Errorf("number of token requests = %d, want 2", n)
		}
		_, err = p.Exchange(t.Context(), authcore.ExchangeRequest{RedirectURI: testReturn})
		wants(t, err, authcore.ErrProviderDenied)
		if n := len(s.to(s.at.token)); n != 2 {
			t.Error("an empty code was sent")
		}
	}
}

// TestUserInfoOfAnother is the token substitution of OpenID Connect Core 1.0,
// section 16.11: the user info must have the subject of the ID token.
func TestUserInfoOfAnother(t *testing.T) {
	for _, build := range []func(*testing.T) *script{googleScript, oidcScript} {
		for _, body := range []string{
			`{"sub":"victim","email":"victim@example.com","email_verified":true}`,
			`{"email":"victim@example.com","email_verified":true}`,
		} {
			s := build(t)
			delete(s.claims, "email")
			s.answer(s.at.userInfo, 200, body)
			_, err := s.exchange(s.provider())
			wants(t, err, authcore.ErrProviderMismatch)
		}
	}
}

// TestGitHubIDs refuses responses without an id: all of them would share one
// account. The public address of /user is never used.
func TestGitHubIDs(t *testing.T) {
	for _, body := range []string{
		`{"login":"ada","email":"ada@example.com"}`, `{"id":null}`, `{"id":0}`, `{"id":-1}`, `{"id":"1"}`, `{"id":1.5}`,
		`{"id":1e3}`, `{"id":18446744073709551616}`, `{"id":[1]}`, `{"ID":1}`, `{}`,
	} {
		s := githubScript(t)
		s.answer(s.at.userInfo, 200, body)
		_, err := s.exchange(s.provider())
		wants(t, err, authcore.ErrProviderFailed)
	}
	for _, body := range []string{`[{"primary":true,"verified":true}]`, `[{"primary":true,"email":1}]`, `[1]`, `{}`} {
		s := githubScript(t)
		s.answer(s.at.userInfo+"/emails", 200, body)
		_, err := s.exchange(s.provider())
		wants(t, err, authcore.ErrProviderFailed)
	}
}

// TestDiscoveryOfAnother refuses documents that would send users, codes and secrets
// to another host (RFC 9700, section 4.4; CWE-918).
func TestDiscoveryOfAnother(t *testing.T) {
	for _, test := range []struct {
		member string
		value  any
	}{
		{"issuer", "https://evil.example"},
		{"issuer", testIssuer + "/"},
		{"issuer", nil},
		{"authorization_endpoint", "javascript:alert(1)"},
		{"authorization_endpoint", nil},
		{"token_endpoint", "http://idp.example/token"},
		{"token_endpoint", "https://10.0.0.1/token"},
		{"token_endpoint", 1},
		{"jwks_uri", "https://[::1]/keys"},
		{"jwks_uri", "https://localhost/keys"},
		{"jwks_uri", "https://metadata.localhost./keys"},
		{"jwks_uri", ""},
		{"userinfo_endpoint", "https://169.254.169.254/latest/meta-data"},
		{"userinfo_endpoint", "https://[::ffff:10.0.0.1]/"},
		{"userinfo_endpoint", "https://user:password@idp.example/"},
		{"token_endpoint_auth_methods_supported", []string{"private_key_jwt", "none"}},
	} {
		t.Run(fmt.Sprint(test.member, test.value), func(t *testing.T) {
			s := oidcScript(t)
			s.announce(test.member, test.value)
			p := s.provider()
			_, err := p.AuthorizeURL(t.Context(), authcore.AuthorizeRequest{})
			wants(t, err, authcore.ErrProviderFailed)
			_, err = s.exchange(p)
			wants(t, err, authcore.ErrProviderFailed)
			if n := len(s.to(s.at.token)); n != 0 {
				t.Error("the code was sent")
			}
		})
	}
}

// TestDeadProviderIsLeftAlone retries a failed provider after a pause only, however
// many users try to log in.
func TestDeadProviderIsLeftAlone(t *testing.T) {
	s := oidcScript(t)
	s.answer(discoveryAddress, 503, `{}`)
	p := s.provider()
	for range 50 {
		_, err := s.exchange(p)
		wants(t, err, authcore.ErrProviderFailed)
	}
	if n := len(s.to(discoveryAddress)); n != 1 {
		t.Errorf("number of fetches = %d", n)
	}
	s.answer(discoveryAddress, 200, s.document())
	s.clock.advance(firstBackoff)
	if _, err := s.exchange(p); err != nil {
		t.Errorf("exchange() failed: %v", err)
	}
}

// TestDiscoveryIsKept for a day.
func TestDiscoveryIsKept(t *testing.T) {
	s := oidcScript(t)
	p := s.provider()
	for range 3 {
		if _, err := p.Endpoint(t.Context()); err != nil {
			t.Fatalf("Context() failed: %v", err)
		}
	}
	s.clock.advance(discoveryLifetime - time.Second)
	p.Endpoint(t.Context())
	if n := len(s.to(discoveryAddress)); n != 1 {
		t.Errorf("number of fetches = %d", n)
	}
	s.clock.advance(time.Second)
	p.Endpoint(t.Context())
	if n := len(s.to(discoveryAddress)); n != 2 {
		t.Errorf("number of fetches = %d", n)
	}
}

// TestOneDeadProviderHurtsNoOther logs in at one provider while another hangs.
func TestOneDeadProviderHurtsNoOther(t *testing.T) {
	hanging, healthy := oidcScript(t), githubScript(t)
	asked := make(chan struct{})
	hanging.handle(discoveryAddress, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		hanging.hang(w, r)
	})
	hanging.deps.Timeout = time.Hour
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	done := make(chan error)
	go func() {
		_, err := hanging.provider().Exchange(ctx, hanging.request())
		done <- err
	}()
	<-asked
	if _, err := healthy.exchange(healthy.provider()); err != nil {
		t.Errorf("provider() failed: %v", err)
	}
	select {
	case err := <-done:
		t.Errorf("Exchange() at the hanging provider returned %v", err)
	default:
	}
	giveUp()
	wants(t, <-done, context.Canceled)
}

// TestMixUp presents the code of one provider to another (RFC 9207, section 1): the
// code must not be sent, because the other provider could redeem it.
func TestMixUp(t *testing.T) {
	for _, test := range []struct {
		build  func(*testing.T) *script
		issuer string
		want   error
	}{
		{oidcScript, "", nil},
		{oidcScript, testIssuer, nil},
		{oidcScript, testIssuer + "/", authcore.ErrProviderMismatch},
		{oidcScript, "https://accounts.google.com", authcore.ErrProviderMismatch},
		{googleScript, "https://accounts.google.com", nil},
		{googleScript, testIssuer, authcore.ErrProviderMismatch},
		{githubScript, "https://github.com/login/oauth", nil},
		{githubScript, "https://github.com.evil.example", authcore.ErrProviderMismatch},
		{githubScript, "::", authcore.ErrProviderMismatch},
	} {
		s := test.build(t)
		request := s.request()
		request.Issuer = test.issuer
		_, err := s.provider().Exchange(t.Context(), request)
		wants(t, err, test.want)
		if n := len(s.to(s.at.token)); (n > 0) != (test.want == nil) {
			t.Errorf("%s at %s: %d token requests", test.issuer, s.cfg.Name, n)
		}
	}
}

package e2e

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/faulty"
)

// Limits of a failing provider. The edge gives each call of a provider ten seconds;
// the rest is for a loaded machine.
const (
	providerPatience = 20 * time.Second
	otherPatience    = 8 * time.Second
	providerMemory   = 128 << 20
)

// TestFaultyProviders logs in through providers that fail in every way at every step,
// simultaneously, while users log in by link (CWE-400, CWE-770, CWE-918).
func TestFaultyProviders(t *testing.T) {
	t.Parallel()
	server := faulty.Start(t)
	realm := slices.Concat(debugLinks, noLimits)
	type broken struct {
		name, fault string
		stage       faulty.Stage
	}
	var all []broken
	for _, fault := range faulty.Faults() {
		for _, stage := range faulty.Stages() {
			if faulty.MakesSense(fault, stage) {
				b := broken{fault + "-" + string(stage), fault, stage}
				all = append(all, b)
				realm = append(realm, faultyProvider(b.name, server.Issuer(fault, stage))...)
			}
		}
	}
	realm = append(realm, faultyProvider("sound", server.Issuer("", faulty.UserInfo))...)
	s := newSite(t, caddyfile{Realm: realm}, "IDP_SECRET="+oidcClientSecret)
	s.secrets.Add("client secret", oidcClientSecret)
	s.secrets.Add("e-mail address", faulty.Email)
	before := s.RSS(t)

	var failing sync.WaitGroup
	for _, b := range all {
		failing.Go(func() {
			begun := time.Now()
			got, err := s.try(t, http.MethodPost, "/v1/auth/social/login/"+b.name+"/", "application/json",
				`{"code":"c-0123456789","client_key":"`+clientKey+`","redirect_uri":"`+redirectURI+`"}`)
			if err != nil {
				t.Errorf("a login through %s: %v", b.name, err)
				return
			}
			checkFault(t, b.name, faulty.Slow(b.fault), got, time.Since(begun))
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		failing.Wait()
	}()
	othersContinue(t, s, done)
	if grown := s.RSS(t) - before; grown > providerMemory {
		t.Errorf("the memory grew by %d MiB", grown>>20)
	}
	if server.Leaked() > 0 {
		t.Error("a redirect to another host was followed")
	}
	for _, b := range all {
		if server.Calls(server.Issuer(b.fault, b.stage), b.stage) == 0 {
			t.Errorf("%s: the login did not reach this stage", b.name)
		}
	}
	if first := s.logIn(t, faulty.Email); !first.isNew {
		t.Error("a failed login made an account")
	}
	sound := s.post(t, "/social/login/sound/", map[string]any{"code": "c-1", "client_key": clientKey, "redirect_uri": redirectURI})
	s.loggedIn(t, sound)
}

func faultyProvider(name, issuer string) []string {
	lines := providerLines(name, issuer)
	lines[0] = strings.Replace(lines[0], oidcClientID, faulty.ClientID, 1)
	return lines
}

// checkFault checks the answer to a login through a failed provider.
func checkFault(t *testing.T, name string, slow bool, got answer, took time.Duration) {
	t.Helper()
	wantStatus, wantCode := http.StatusBadGateway, "provider_unavailable"
	if slow {
		wantStatus, wantCode = http.StatusGatewayTimeout, "provider_timeout"
	}
	if got.status != wantStatus || !strings.Contains(got.body, `"code":"`+wantCode+`"`) {
		t.Errorf("%s: got %d %s, want %d %s", name, got.status, got.body, wantStatus, wantCode)
	}
	for _, echoed := range []string{"127.0.0.1", "localhost", "db-7", "oops", "html", "c-0123456789", "goroutine"} {
		if strings.Contains(got.body, echoed) {
			t.Errorf("%s: the answer holds %q: %s", name, echoed, got.body)
		}
	}
	if took > providerPatience {
		t.Errorf("%s: took %s", name, took)
	}
}

// othersContinue logs users in by link until done is closed, and at least once.
func othersContinue(t *testing.T, s *site, done <-chan struct{}) {
	t.Helper()
	pause := time.NewTicker(100 * time.Millisecond) // leaves time for other tests
	defer pause.Stop()
	for {
		begun := time.Now()
		token := s.logIn(t, "bystander@example.com").token
		s.get(t, "/whoami", token).must(t, http.StatusOK)
		if took := time.Since(begun); took > otherPatience {
			t.Errorf("a login by link took %s meanwhile", took)
		}
		select {
		case <-done:
			return
		case <-pause.C:
		}
	}
}

// TestPrivateProvider checks that a provider in a private network is not called unless
// the operator allows it (CWE-918).
func TestPrivateProvider(t *testing.T) {
	t.Parallel()
	server := faulty.Start(t)
	issuer := server.Issuer("", faulty.UserInfo)
	lines := slices.DeleteFunc(faultyProvider("inside", issuer), func(line string) bool {
		return strings.Contains(line, "insecure_")
	})
	s := prepareSite(t, caddyfile{Realm: slices.Concat(debugLinks, lines)}, "IDP_SECRET="+oidcClientSecret)
	if err := s.Validate(t); err == nil {
		s.Start(t)
		got := s.post(t, "/social/login/inside/", map[string]any{"code": "c", "client_key": clientKey, "redirect_uri": redirectURI})
		got.refused(t, http.StatusBadGateway, "provider_unavailable")
	} else if strings.Contains(err.Error(), oidcClientSecret) || !strings.Contains(err.Error(), "inside") {
		t.Errorf("the error = %v, want the name of the provider and no secret", err)
	}
	if server.Calls(issuer, faulty.Discovery) > 0 {
		t.Error("the private address was called")
	}
}

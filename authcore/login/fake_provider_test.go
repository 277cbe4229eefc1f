package login_test

import (
	"context"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// fakeProvider has a profile for each valid code.
type fakeProvider struct {
	name string
	// posts makes it a form_post provider.
	posts bool

	mu       sync.Mutex
	profiles map[string]authcore.Profile
	err      error
	requests []authcore.ExchangeRequest
	started  []authcore.AuthorizeRequest
}

func (p *fakeProvider) Name() string { return p.name }

func (p *fakeProvider) Endpoint(context.Context) (authcore.Endpoint, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return authcore.Endpoint{}, p.err
	}
	endpoint := authcore.Endpoint{ClientID: "id", AuthorizeURL: "https://idp.example/authorize", Scope: "email", ResponseType: "code"}
	if p.posts {
		endpoint.ResponseMode = "form_post"
	}
	return endpoint, nil
}

func (p *fakeProvider) AuthorizeURL(_ context.Context, r authcore.AuthorizeRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started = append(p.started, r)
	return "https://idp.example/authorize?state=" + r.State, p.err
}

func (p *fakeProvider) Exchange(_ context.Context, r authcore.ExchangeRequest) (authcore.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r)
	if p.err != nil {
		return authcore.Profile{}, p.err
	}
	profile, found := p.profiles[r.Code]
	if !found {
		return authcore.Profile{}, authcore.ErrProviderDenied
	}
	return profile, nil
}

func (p *fakeProvider) set(code string, profile authcore.Profile) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.profiles[code] = profile
}

func (p *fakeProvider) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *fakeProvider) lastRequest(t *testing.T) authcore.ExchangeRequest {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.requests) == 0 {
		t.Fatal("the provider received no request")
	}
	return p.requests[len(p.requests)-1]
}

// openIDProvider also verifies ID tokens: those for which it has a profile.
type openIDProvider struct {
	*fakeProvider
	tokens []authcore.IDTokenRequest
}

func (p *openIDProvider) VerifyIDToken(_ context.Context, r authcore.IDTokenRequest) (authcore.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens = append(p.tokens, r)
	if p.err != nil {
		return authcore.Profile{}, p.err
	}
	profile, found := p.profiles[r.IDToken]
	if !found {
		return authcore.Profile{}, authcore.ErrProviderMismatch
	}
	return profile, nil
}

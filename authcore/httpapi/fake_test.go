package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// mailbox takes mail and delivers nothing.
type mailbox struct {
	mu    sync.Mutex
	mails []authcore.Mail
	full  bool
}

func (m *mailbox) Enqueue(_ context.Context, mail authcore.Mail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return authcore.ErrMailQueueFull
	}
	m.mails = append(m.mails, mail)
	return nil
}

func (m *mailbox) last() authcore.Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.mails) == 0 {
		return authcore.Mail{}
	}
	return m.mails[len(m.mails)-1]
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mails)
}

// fakeProvider accepts one code.
type fakeProvider struct {
	name    string
	mu      sync.Mutex
	asked   []authcore.ExchangeRequest
	fail    error
	panics  any
	profile authcore.Profile
	// posts makes it a form_post provider.
	posts bool
}

func (p *fakeProvider) Name() string { return p.name }

func (p *fakeProvider) Endpoint(context.Context) (authcore.Endpoint, error) {
	endpoint := authcore.Endpoint{
		ClientID: "id-of-" + p.name, AuthorizeURL: "https://provider.test/auth?a=1&b=2",
		Scope: "openid email", ResponseType: "code",
	}
	if p.posts {
		endpoint.ResponseMode = "form_post"
	}
	return endpoint, nil
}

func (p *fakeProvider) AuthorizeURL(_ context.Context, r authcore.AuthorizeRequest) (string, error) {
	return "https://provider.test/auth?redirect_uri=" + r.RedirectURI + "&state=" + r.State +
		"&code_challenge=" + r.Challenge + "&code_challenge_method=S256&nonce=" + r.Nonce, nil
}

func (p *fakeProvider) Exchange(_ context.Context, r authcore.ExchangeRequest) (authcore.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r)
	switch {
	case p.panics != nil:
		panic(p.panics)
	case p.fail != nil:
		return authcore.Profile{}, p.fail
	case r.Code != goodCode:
		return authcore.Profile{}, authcore.ErrProviderDenied
	}
	if p.profile.Subject != "" {
		return p.profile, nil
	}
	return authcore.Profile{
		Subject: "subject-1", Email: "ada@example.com", EmailVerified: true,
		FirstName: "Ada", LastName: "Lovelace", Nickname: "ada", AvatarURL: "https://img.test/a?x=1&y=2",
	}, nil
}

// openIDProvider also verifies ID tokens.
type openIDProvider struct{ *fakeProvider }

func (p openIDProvider) VerifyIDToken(_ context.Context, r authcore.IDTokenRequest) (authcore.Profile, error) {
	if !strings.HasPrefix(r.IDToken, "good.") || !strings.HasPrefix(r.Nonce, "n") {
		return authcore.Profile{}, authcore.ErrProviderMismatch
	}
	return authcore.Profile{Subject: "app-1", FirstName: r.User}, nil
}

func (p *fakeProvider) set(change func(*fakeProvider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *fakeProvider) requests() []authcore.ExchangeRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]authcore.ExchangeRequest(nil), p.asked...)
}

// breakableStore is a store that can fail.
type breakableStore struct {
	authcore.Store
	broken atomic.Bool
}

func (s *breakableStore) down() error {
	if s.broken.Load() {
		return errors.Join(authcore.ErrUnavailable, errors.New("engine: connection refused"))
	}
	return nil
}

func (s *breakableStore) Count(ctx context.Context, now time.Time, c []authcore.Counter) ([]authcore.Tally, error) {
	if err := s.down(); err != nil {
		return nil, err
	}
	return s.Store.Count(ctx, now, c)
}

func (s *breakableStore) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	if err := s.down(); err != nil {
		return authcore.User{}, err
	}
	return s.Store.User(ctx, ref)
}

func (s *breakableStore) Account(ctx context.Context, ref authcore.UserRef, now time.Time) (authcore.Account, error) {
	if err := s.down(); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.Account(ctx, ref, now)
}

func (s *breakableStore) UpdateAccount(ctx context.Context, id string, now time.Time, change func(*authcore.Account) error) (authcore.Account, error) {
	if err := s.down(); err != nil {
		return authcore.Account{}, err
	}
	return s.Store.UpdateAccount(ctx, id, now, change)
}

func (s *breakableStore) Record(ctx context.Context, key authcore.RecordKey, now time.Time) (authcore.Record, error) {
	if err := s.down(); err != nil {
		return authcore.Record{}, err
	}
	return s.Store.Record(ctx, key, now)
}

// logBuffer keeps the log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

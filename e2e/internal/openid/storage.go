package openid

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

var (
	errUnknown     = errors.New("unknown")
	errUnsupported = errors.New("not supported here")
)

// storage keeps everything of one provider in memory. It implements op.Storage
// as far as the code flow with opaque access tokens needs it.
type storage struct {
	client *client
	key    signingKey

	mu       sync.Mutex
	person   *Person
	nonce    string
	requests map[string]*request
	codes    map[string]string // code to request
	tokens   map[string]Person // access token to its person
}

func newStorage(t testing.TB, options Options) *storage {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &storage{
		client:   &client{options: options},
		key:      signingKey{private: key, id: uuid.NewString()},
		requests: map[string]*request{},
		codes:    map[string]string{},
		tokens:   map[string]Person{},
	}
}

func (s *storage) seat(person Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person = &person
}

func (s *storage) forge(nonce string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nonce = nonce
}

// approve finishes a login for the signed-in person.
func (s *storage) approve(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.requests[id]
	if !found || s.person == nil {
		return false
	}
	r.person, r.done, r.authTime = *s.person, true, time.Now()
	if s.nonce != "" {
		r.asked.Nonce = s.nonce
	}
	return true
}

func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &request{id: uuid.NewString(), asked: *asked}
	s.requests[r.id] = r
	return r, nil
}

func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.requests[id]
	if !found {
		return nil, errUnknown
	}
	return r, nil
}

func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.requests[s.codes[code]]
	if !found {
		return nil, errUnknown
	}
	return r, nil
}

func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *storage) CreateAccessToken(_ context.Context, about op.TokenRequest) (string, time.Time, error) {
	r, ok := about.(*request)
	if !ok {
		return "", time.Time{}, errUnsupported
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := uuid.NewString()
	s.tokens[id] = r.person
	return id, time.Now().Add(5 * time.Minute), nil
}

func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, token, _, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	person, found := s.tokens[token]
	if !found {
		return errUnknown
	}
	person.describe(info)
	return nil
}

// SetUserinfoFromRequest fills the ID token, the subject included.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, about op.IDTokenRequest, _ []string) error {
	info.Subject = about.GetSubject()
	r, ok := about.(*request)
	if !ok {
		return nil
	}
	if s.client.options.ClaimsInIDToken {
		r.person.describe(info)
	}
	if r.person.Roles != nil {
		info.AppendClaims("realm_access", map[string]any{"roles": r.person.Roles})
	}
	return nil
}

func (p Person) describe(info *oidc.UserInfo) {
	info.Subject = p.Subject
	info.Email, info.EmailVerified = p.Email, oidc.Bool(p.EmailVerified)
	info.GivenName, info.FamilyName = p.GivenName, p.LastName
	info.PreferredUsername = p.Nickname
}

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.client.options.ClientID {
		return nil, errUnknown
	}
	return s.client, nil
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	want := s.client.options.ClientSecret
	if id != s.client.options.ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(want)) != 1 {
		return errUnknown
	}
	return nil
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{s.key}}, nil
}

func (s *storage) Health(context.Context) error { return nil }

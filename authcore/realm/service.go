package authcore

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// retryAfter is what callers are told while the store or the mail queue cannot
// take their request.
const retryAfter = 5 * time.Second

// Service logs people in. Make one with New and give it a goroutine that runs
// Run; every method is safe for concurrent use.
type Service struct {
	cfg       Config
	store     Store
	log       *slog.Logger
	clients   clients
	origins   map[string]bool
	providers map[string]Provider

	keys     *keyRing
	lookup   *keyLookup
	counting counting
	verifier *gate.Verifier
	revoked  *revocations
	feed     feedCache
	seen     *seen
}

// New validates the configuration, makes the first keys where the store has
// none, and loads the revocations, so that the service can verify tokens from
// its first request on.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Store == nil {
		return nil, errors.New("authcore: no store")
	}
	if cfg.Mailer == nil && !cfg.DebugLinks {
		return nil, errors.New("mailer: none is configured, so nobody could receive a link")
	}
	s := &Service{
		cfg:       cfg,
		store:     newBoundedStore(cfg.Store),
		log:       cfg.Logger,
		clients:   newClients(cfg.Clients),
		origins:   map[string]bool{},
		providers: map[string]Provider{},
		seen:      newSeen(),
	}
	for i := range cfg.Clients {
		for _, origin := range cfg.Clients[i].Origins {
			s.origins[origin] = true
		}
	}
	for _, p := range cfg.Providers {
		if s.providers[p.Name()] != nil {
			return nil, fmt.Errorf("provider %s: configured twice", p.Name())
		}
		s.providers[p.Name()] = p
	}
	for name := range cfg.ProviderRules {
		if s.providers[name] == nil {
			return nil, fmt.Errorf("provider %s: has account rules and is not configured", name)
		}
	}
	s.revoked = newRevocations(revocationsConfig{
		store: cfg.Store, log: cfg.Logger, now: s.now,
		most: cfg.RevocationMaxStaleness, onStale: cfg.OnStale, lag: cfg.ObserveLag,
	})
	most := cfg.RevocationMaxStaleness
	if cfg.OnStale == OnStaleServe {
		most = 0
	}
	s.verifier = gate.NewVerifier(gate.VerifierConfig{
		Issuer:       cfg.Issuer,
		Audience:     cfg.Audience,
		Purpose:      gate.PurposeLogin,
		CacheSize:    cfg.CacheSize,
		Revocations:  s.revoked.copy,
		MaxStaleness: most,
		Seen:         s.seen.mark,
	})
	s.keys = newKeyRing(keyRingConfig{
		store:     cfg.Store,
		algorithm: cfg.Algorithm,
		rotation:  cfg.KeyRotation,
		lifetime:  s.longestLifetime(),
		random:    cfg.Random,
		changed:   s.verifier.SetKeys,
	})
	s.lookup = newKeyLookup(s.keys)
	if err := s.keys.maintain(ctx, s.now()); err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	if err := s.revoked.refresh(ctx); err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	return s, nil
}

// Caller is where a request comes from.
type Caller struct {
	// IP is the client's address, after trusted proxies were taken out.
	IP        netip.Addr
	UserAgent string
}

// RevocationAge is how long ago everything that was revoked at any node was in
// force here. While the store answers it stays below a second.
func (s *Service) RevocationAge() time.Duration { return s.revoked.age() }

// Verifier checks login tokens of this realm, without I/O.
func (s *Service) Verifier() *gate.Verifier { return s.verifier }

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517, section 5), and
// for how long it may be kept.
func (s *Service) JWKS() ([]byte, time.Duration) {
	return s.keys.jwks(), min(time.Hour, s.keys.lead())
}

// AllowsOrigin reports whether pages of this origin belong to a client.
func (s *Service) AllowsOrigin(origin string) bool { return s.origins[origin] }

// Now returns the service's time.
func (s *Service) Now() time.Time { return s.now() }

// now has no monotonic part, so that times compare alike before and after they
// were stored.
func (s *Service) now() time.Time { return s.cfg.Now().Round(0).UTC() }

func (s *Service) longestLifetime() time.Duration {
	longest := s.cfg.TokenLifetime
	for i := range s.cfg.Clients {
		longest = max(longest, s.cfg.Clients[i].Lifetime)
	}
	return longest
}

// secret returns 256 random bits in base64url.
func (s *Service) secret() (string, error) {
	bits := make([]byte, 32)
	if _, err := io.ReadFull(s.cfg.Random, bits); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(bits), nil
}

// code returns six random digits.
func (s *Service) code() (string, error) {
	n, err := rand.Int(s.cfg.Random, sixDigits)
	if err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

func (s *Service) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(s.cfg.Random)
	if err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return id.String(), nil
}

// unavailable is the answer while something that the request needs cannot take
// it. It never is 401: the caller's credentials were not judged.
func unavailable(err error) *Error {
	return &Error{
		Status:     http.StatusServiceUnavailable,
		Code:       CodeUnavailable,
		Detail:     "The service is temporarily unavailable.",
		RetryAfter: retryAfter,
		Err:        err,
	}
}

func inactive() *Error {
	return &Error{Status: http.StatusForbidden, Code: CodeUserInactive, Detail: "User inactive or deleted."}
}

func notFound() *Error {
	return &Error{Status: http.StatusNotFound, Code: CodeNotFound, Detail: "Not found."}
}

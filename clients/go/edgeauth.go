package edgeauth

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Options configures an Edge.
type Options struct {
	API       string        // the address of the login API
	Issuer    string        // default: "edgeauth"
	Audience  string        // default: the issuer; of an assertion the name in the Caddyfile
	Assertion bool          // verify X-Auth-Assertion, for which there are no revocations to read
	Interval  time.Duration // between two looks at the revocations; default: 5 s
	MaxAge    time.Duration // age of the revocations from which on requests get 503; default: 5 min
	Client    *http.Client  // default: one with a timeout of 10 s
}

// Claims describe the user of a token or assertion. Roles are the current ones.
type Claims struct {
	jwt.RegisteredClaims
	Session string   `json:"sid"`
	Email   string   `json:"email"`
	Name    string   `json:"name"`
	Method  string   `json:"method"`
	Roles   []string `json:"roles"`
}

// Errors of Verify.
var (
	ErrInvalid = errors.New("edgeauth: invalid token")
	ErrStale   = errors.New("edgeauth: the revocations are too old")
)

// Edge has the keys and revocations of an issuer.
type Edge struct {
	o    Options
	keys atomic.Pointer[map[string]key]
	feed atomic.Pointer[feed]
}

// New reads keys and revocations. Follow keeps them up to date.
func New(ctx context.Context, o Options) (*Edge, error) {
	o.Issuer, o.API = cmp.Or(o.Issuer, "edgeauth"), strings.TrimRight(o.API, "/")
	o.Audience, o.Client = cmp.Or(o.Audience, o.Issuer), cmp.Or(o.Client, &http.Client{Timeout: 10 * time.Second})
	o.Interval, o.MaxAge = cmp.Or(o.Interval, 5*time.Second), cmp.Or(o.MaxAge, 5*time.Minute)
	e := &Edge{o: o}
	e.feed.Store(&feed{})
	if err := e.load(ctx, true); err != nil {
		return nil, err
	}
	return e, nil
}

// Follow reads keys and revocations until the context ends. If that fails, those in use stay in
// use, and grow old.
func (e *Edge) Follow(ctx context.Context) {
	ticker, keysRead := time.NewTicker(e.o.Interval), time.Now()
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			withKeys := now.Sub(keysRead) > 10*time.Minute
			if err := e.load(ctx, withKeys); err != nil {
				slog.WarnContext(ctx, "reading keys or revocations failed", "error", err)
			} else if withKeys {
				keysRead = now
			}
		}
	}
}

// Verify returns the claims of a login token or assertion.
func (e *Edge) Verify(token string) (*Claims, error) {
	f, purpose := e.feed.Load(), "login+jwt"
	if e.o.Assertion {
		purpose = "assertion+jwt"
	} else if time.Since(time.Unix(f.issued, 0)) > e.o.MaxAge {
		return nil, ErrStale
	}
	var c Claims
	if err := e.parse(token, purpose, &c, jwt.WithAudience(e.o.Audience)); err != nil || c.Subject == "" || f.revoked(&c) {
		return nil, ErrInvalid
	}
	return &c, nil
}

func (e *Edge) load(ctx context.Context, withKeys bool) error {
	if withKeys {
		text, err := e.get(ctx, "/.well-known/jwks.json")
		if err != nil {
			return err
		}
		keys, err := parseKeys(text)
		if err != nil {
			return err
		}
		e.keys.Store(&keys)
	}
	if e.o.Assertion {
		return nil
	}
	current := e.feed.Load()
	text, err := e.get(ctx, "/revocations/?since="+url.QueryEscape(current.cursor))
	if err != nil {
		return err
	}
	var parts []part
	for line := range strings.FieldsSeq(string(text)) {
		var p part
		if err := e.parse(line, "revocations+jwt", &p); err != nil {
			return err
		}
		parts = append(parts, p)
	}
	next, err := current.with(parts)
	if err == nil {
		e.feed.Store(next)
	}
	return err
}

package authcore

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Times of the revocation feed.
const (
	// feedRenewal is the age at which a feed is signed anew though nothing was
	// revoked: its age is how verifiers notice that they are kept in the dark.
	feedRenewal = 30 * time.Second
	// feedLifetime is how long a verifier may go on with a feed at most.
	feedLifetime = time.Hour
	// feedMaxAge is how long caches may keep it; it delays revocations.
	feedMaxAge = time.Second
)

// Feed is a signed document for verifiers.
type Feed struct {
	// Text is a JWS in its compact form (RFC 7515, section 7.1). It must not be
	// changed.
	Text []byte
	// ETag is an entity tag of the text (RFC 9110, section 8.8.3).
	ETag string
	// MaxAge is for how long a cache may answer with it.
	MaxAge time.Duration
}

// feedCache keeps the feed that was signed last.
type feedCache struct {
	mu         sync.Mutex
	feed       Feed
	issued     time.Time
	generation uint64
}

// RevocationFeed returns what is revoked and has not expired, for those who
// verify tokens by themselves; see gate.RevocationFeed. It does no I/O. A new
// feed is made at most once a second, when something was revoked since, or when
// the last one is half a minute old. A feed is dated to the time at which this
// node has heard from the store last, so that the feed of a node that is cut
// off grows old.
func (s *Service) RevocationFeed() (Feed, error) {
	c := &s.feed
	c.mu.Lock()
	defer c.mu.Unlock()
	issued := s.revoked.copy.RefreshedAt().Truncate(time.Second)
	// Before the entries are read: what comes in between makes another one.
	generation := s.revoked.copy.Generation()
	fresh := generation == c.generation && issued.Sub(c.issued) < feedRenewal
	if c.feed.Text != nil && (fresh || !issued.After(c.issued)) {
		return c.feed, nil
	}
	payload, err := s.revoked.copy.FeedPayload(s.cfg.Issuer, issued, issued.Add(feedLifetime))
	if err != nil {
		return Feed{}, unavailable(err)
	}
	text, err := s.keys.signPublic(gate.PurposeRevocations, payload, s.now())
	if err != nil {
		return Feed{}, err
	}
	sum := sha256.Sum256([]byte(text))
	c.feed = Feed{
		Text:   []byte(text),
		ETag:   `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`,
		MaxAge: feedMaxAge,
	}
	c.issued, c.generation = issued, generation
	return c.feed, nil
}

// noPublicKey says that nobody but the issuer can check a signature.
func noPublicKey() *Error {
	return &Error{
		Status: http.StatusNotFound,
		Code:   CodeNoPublicKey,
		Detail: "Signatures are made with a shared secret (HS256), which no one else can check.",
	}
}

package revocation

import (
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Times of the feed.
const (
	// feedRenewal is the age at which an unchanged feed is signed again. Verifiers
	// measure by the age of a feed whether they miss revocations.
	feedRenewal = 30 * time.Second
	// feedLifetime is the longest time for which a verifier may use a feed.
	feedLifetime = time.Hour
	// feedMaxAge is the time for which caches may keep a document. It delays
	// revocations.
	feedMaxAge = time.Second
)

// Document is a signed document for verifiers.
type Document struct {
	// Text has one or more lines, each a JWS in its compact form (RFC 7515, section
	// 7.1); see gate.RevocationFeed. It must not be changed.
	Text []byte
	// ETag is an entity tag of the text (RFC 9110, section 8.8.3).
	ETag string
	// MaxAge is the time for which a cache may keep the document.
	MaxAge time.Duration
}

// Signer signs documents that others verify; keys.Ring is one.
type Signer interface {
	SignPublic(purpose gate.Purpose, payload []byte, now time.Time) (string, error)
}

// Feed publishes the revocations of a Follower as signed documents, whose size
// grows with ended sessions and disabled users only. All methods are safe for
// concurrent use and without I/O.
type Feed struct {
	follower *Follower
	signer   Signer
	issuer   string
	now      func() time.Time

	mu sync.Mutex
	// issued and generation belong to the documents, which are found by the cursor
	// at which they begin; "" finds the full list.
	issued     time.Time
	generation uint64
	documents  map[string]Document
}

// NewFeed returns the feed of an issuer.
func NewFeed(follower *Follower, signer Signer, issuer string, now func() time.Time) *Feed {
	return &Feed{follower: follower, signer: signer, issuer: issuer, now: now, documents: map[string]Document{}}
}

// Document returns what was revoked since the cursor of an earlier document, or
// the full list if the cursor is empty, unknown or too old. The error is a 404 if
// the realm has no public key.
//
// Documents change at most once a second: when something was revoked, or after 30
// seconds. A document is dated to the time at which the copy was complete last, so
// that the feed of a node without its store grows old. If the clock goes back, all
// documents are signed anew.
func (f *Feed) Document(since string) (Document, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renew()
	since = f.follower.Copy().FeedSince(since, f.issued)
	if document, found := f.documents[since]; found {
		return document, nil
	}
	text, err := f.sign(since)
	if err != nil {
		return Document{}, err
	}
	sum := sha256.Sum256(text)
	document := Document{
		Text:   text,
		ETag:   `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`,
		MaxAge: feedMaxAge,
	}
	f.documents[since] = document
	return document, nil
}

// sign makes the text of a document that begins at a cursor.
func (f *Feed) sign(since string) ([]byte, error) {
	options := gate.FeedOptions{Issuer: f.issuer, Issued: f.issued, Expires: f.issued.Add(feedLifetime), Since: since}
	payloads, err := f.follower.Copy().FeedPayloads(options)
	if err != nil && since != "" { // A flood of entries has displaced those after the cursor.
		options.Since = ""
		payloads, err = f.follower.Copy().FeedPayloads(options)
	}
	if err != nil {
		return nil, authcore.Unavailable(err)
	}
	now := f.now()
	var text []byte
	for payload := range payloads {
		part, err := f.signer.SignPublic(gate.PurposeRevocations, payload, now)
		if err != nil {
			return nil, err
		}
		if len(text) > 0 {
			text = append(text, '\n')
		}
		text = append(text, part...)
	}
	return text, nil
}

// renew drops the documents if newer ones are due.
func (f *Feed) renew() {
	revocations := f.follower.Copy()
	issued := revocations.RefreshedAt().Truncate(time.Second)
	// Read before the entries: what is added in between makes another generation.
	generation := revocations.Generation()
	age := issued.Sub(f.issued)
	if age < 0 || age >= feedRenewal || age > 0 && generation != f.generation {
		clear(f.documents)
		f.issued, f.generation = issued, generation
	}
}

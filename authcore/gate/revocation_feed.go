package gate

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxRevocationFeed is the longest feed that is made or read, in bytes: 2.3
// million revocations at 14.3 bytes each.
const MaxRevocationFeed = 32 << 20

// Reasons to refuse a feed.
var (
	// ErrFeedMalformed is about length, shape, encoding and syntax.
	ErrFeedMalformed = errors.New("gate: revocation feed: malformed")
	// ErrFeedUnknownKey says that no key of the set makes feeds with this
	// header. A fresh key set may have it.
	ErrFeedUnknownKey = errors.New("gate: revocation feed: unknown key, or no feed")
	// ErrFeedSignature says that the key did not make this signature.
	ErrFeedSignature = errors.New("gate: revocation feed: bad signature")
	// ErrFeedIssuer says that it is the feed of another issuer.
	ErrFeedIssuer = errors.New("gate: revocation feed: another issuer")
	// ErrFeedExpired says that it is too old to be taken, or of the future.
	ErrFeedExpired = errors.New("gate: revocation feed: expired, or not issued yet")
	// ErrFeedOlder says that the feed in use is as new or newer.
	ErrFeedOlder = errors.New("gate: revocation feed: not newer than the one in use")
)

// RevocationFeed is all that an issuer had revoked at a time and that has not
// expired by then: the payload of a JWS (RFC 7515) of PurposeRevocations, which
// is good for nothing else. It tells hashes of IDs, so that whoever reads it
// learns about an ID that he knows, and of no other. A feed never changes.
type RevocationFeed struct {
	issued, expires         int64
	users, sessions, tokens revocationList
}

// IssuedAt is the time up to which the issuer knew what is revoked.
func (f *RevocationFeed) IssuedAt() time.Time { return time.Unix(f.issued, 0) }

// ExpiresAt is when the issuer's word ends. Verifiers bound the age of a feed
// more tightly by themselves.
func (f *RevocationFeed) ExpiresAt() time.Time { return time.Unix(f.expires, 0) }

// Len returns the number of revocations.
func (f *RevocationFeed) Len() int { return f.users.len() + f.sessions.len() + f.tokens.len() }

// RevocationFeed reads a feed and checks that a key of the set has signed it for
// this issuer, and its times. An expired feed is refused, and so is one of the
// future, with the tolerance of DefaultLeeway. Its errors are ErrFeedMalformed,
// ErrFeedUnknownKey, ErrFeedSignature, ErrFeedIssuer and ErrFeedExpired.
//
// Whoever holds back a newer feed goes unnoticed until the one in use is older
// than the verifier allows; see RevocationFeed.IssuedAt.
func (s *KeySet) RevocationFeed(text, issuer string, now time.Time) (*RevocationFeed, error) {
	if len(text) > MaxRevocationFeed {
		return nil, ErrFeedMalformed
	}
	t := jws{text: text, payload: strings.IndexByte(text, '.')}
	if t.payload < 0 {
		return nil, ErrFeedMalformed
	}
	if t.key = s.feedKey(text[:t.payload]); t.key == nil {
		return nil, ErrFeedUnknownKey
	}
	body, err := t.open()
	if err != nil {
		return nil, err
	}
	// Not before the signature: it is long.
	p, ok := parseFeed(body)
	if !ok {
		return nil, ErrFeedMalformed
	}
	if issuer == "" || p.issuer != issuer {
		return nil, ErrFeedIssuer
	}
	if unix := now.Unix(); unix >= p.expires || p.issued > unix+int64(DefaultLeeway/time.Second) {
		return nil, ErrFeedExpired
	}
	return &p.RevocationFeed, nil
}

// feedKey returns the key that signs feeds with this header, or nil. Secrets
// sign none: who can check a feed could make one.
func (s *KeySet) feedKey(header string) *verifyKey {
	for _, key := range s.keys {
		if key.Algorithm != HS256 && HeaderSegment(key.Key, PurposeRevocations) == header {
			return key
		}
	}
	return nil
}

// open checks the signature and returns the payload.
func (t *jws) open() (string, error) {
	if !t.findSignature() {
		return "", ErrFeedMalformed
	}
	signature, ok := decode(t.text[t.signature+1:])
	if !ok {
		return "", ErrFeedMalformed
	}
	if !t.key.verify(t.text[:t.signature], signature) {
		return "", ErrFeedSignature
	}
	body, ok := decode(t.text[t.payload+1 : t.signature])
	if !ok {
		return "", ErrFeedMalformed
	}
	return string(body), nil
}

// feedPayload is a feed as it was read.
type feedPayload struct {
	RevocationFeed
	issuer string
}

// parseFeed reads the JSON of a feed. A list that is absent would be one that
// somebody forgot, so each has to be there.
func parseFeed(text string) (p feedPayload, ok bool) {
	s, lists := scanner{text: text}, 0
	ok = s.object(func(name string) bool {
		switch name {
		case "iss":
			return s.string(&p.issuer)
		case "iat":
			return s.integer(&p.issued)
		case "exp":
			return s.integer(&p.expires)
		case "users":
			lists++
			return s.revocationList(&p.users)
		case "sessions":
			lists++
			return s.revocationList(&p.sessions)
		case "tokens":
			lists++
			return s.revocationList(&p.tokens)
		}
		return s.skip(maxDepth)
	})
	return p, ok && s.pos == len(text) && lists == 3 && p.issued > 0 && p.expires > p.issued
}

func (s *scanner) revocationList(list *revocationList) bool {
	var text string
	if !s.string(&text) {
		return false
	}
	data, ok := decode(text)
	*list = data
	return ok && list.valid()
}

// Load replaces the feed in use, at once and as a whole. It returns ErrFeedOlder
// and changes nothing unless the feed was issued later: somebody who replays an
// old feed, or a second node that lags behind, must not lift a revocation.
func (r *Revocations) Load(feed *RevocationFeed) error {
	for {
		old := r.feed.Load()
		if old != nil && feed.issued <= old.issued {
			return ErrFeedOlder
		}
		if r.feed.CompareAndSwap(old, feed) {
			r.generation.Add(1) // afterwards, as in Apply
			return nil
		}
	}
}

// FeedAge returns how old the feed in use is. It is false as long as none was
// loaded.
func (r *Revocations) FeedAge(now time.Time) (age time.Duration, loaded bool) {
	feed := r.feed.Load()
	if feed == nil {
		return 0, false
	}
	return max(0, now.Sub(feed.IssuedAt())), true
}

// FeedPayload returns the payload of a feed, JSON, with what was given to Apply
// and lasts beyond issued. The issuer signs it for PurposeRevocations. It takes
// some 20 ms for 100,000 revocations, and is an error when the feed would be
// longer than MaxRevocationFeed.
func (r *Revocations) FeedPayload(issuer string, issued, expires time.Time) ([]byte, error) {
	var lists [3]string
	length := 0
	for i, set := range [...]*revocationSet{&r.users, &r.sessions, &r.tokens} {
		lists[i] = encoding.EncodeToString(set.list(issued.Unix()))
		length += len(lists[i])
	}
	if encoding.EncodedLen(length) > MaxRevocationFeed-maxFeedFrame {
		return nil, fmt.Errorf("gate: revocation feed: %d revocations are too many", r.Len())
	}
	return marshalFeed(issuer, issued.Unix(), expires.Unix(), lists)
}

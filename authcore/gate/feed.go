package gate

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Limits of the feed. They bound the memory that a feed can take, 200 MB at the
// most, and are far above what an issuer needs.
const (
	// MaxFeedPart is the length of the longest part that is made or read, in
	// bytes.
	MaxFeedPart = 256 << 10
	// maxPartEntries is the number of revocations in one part. Reading a part
	// takes a few milliseconds, also in a WebAssembly guest.
	maxPartEntries = 1 << 13
	// maxFeedParts is the number of parts, for 16.7 million revocations.
	maxFeedParts = 1 << 11
)

// Reasons to refuse a part of the feed.
var (
	// ErrFeedMalformed concerns length, shape, encoding and syntax.
	ErrFeedMalformed = errors.New("gate: revocation feed: malformed")
	// ErrFeedUnknownKey means that no key of the set signs feeds with this
	// header. A fresh key set may contain it.
	ErrFeedUnknownKey = errors.New("gate: revocation feed: unknown key or not a feed")
	// ErrFeedSignature means that the key did not make this signature.
	ErrFeedSignature = errors.New("gate: revocation feed: bad signature")
	// ErrFeedIssuer means that it is the feed of another issuer.
	ErrFeedIssuer = errors.New("gate: revocation feed: another issuer")
	// ErrFeedExpired means that it has expired or is dated in the future.
	ErrFeedExpired = errors.New("gate: revocation feed: expired or issued in the future")
	// ErrFeedOlder means that the feed in use is as new or newer.
	ErrFeedOlder = errors.New("gate: revocation feed: not newer than the one in use")
	// ErrFeedGap means that it does not continue the feed in use or the parts
	// before it. The full list replaces both.
	ErrFeedGap = errors.New("gate: revocation feed: does not continue the one in use")
)

// RevocationFeed is one part of a document of the feed: the payload of a JWS (RFC
// 7515) of PurposeRevocations, which is valid for nothing else. A document is one
// or more parts, a line each. It contains everything that an issuer had revoked at
// a time and that had not expired, or what changed since an earlier document.
//
//	{"iss": "https://auth.example.com", "iat": 1800000000, "exp": 1800003600,
//	 "cursor": "1800000000", "part": 1, "parts": 1, "users": "…", "sessions": "…",
//	 "roles": "…"}
//
// The lists of users and sessions are base64url without padding of entries of 12 bytes in ascending
// order: the first 8 bytes of the SHA-256 of an ID, and the end of the entry in
// seconds since 1970, big-endian. So a reader can look up an ID that it knows but
// cannot enumerate others. A delta has in addition "delta": true and "since", the
// cursor that it continues; an entry of it that ends at 0 lifts an earlier one.
//
// The list of roles has users whose roles changed. An entry consists of the hash and the
// end, the time of the change in 4 bytes, the length of the roles in 2 bytes, and the
// names of the roles in ascending order, separated by commas.
//
// A RevocationFeed never changes.
type RevocationFeed struct {
	issued, expires, cursor int64
	part, parts             int64
	// since is the cursor that a delta continues.
	delta           bool
	since           int64
	users, sessions feedList
	roles           []roleChange
	// read is the time at which it was checked.
	read int64
}

// IssuedAt returns the time up to which the issuer knew what is revoked.
func (f *RevocationFeed) IssuedAt() time.Time { return time.Unix(f.issued, 0) }

// Len returns the number of entries in this part.
func (f *RevocationFeed) Len() int { return f.users.len() + f.sessions.len() + len(f.roles) }

// RevocationFeed reads one part of the feed and checks that a key of the set has
// signed it for this issuer, and its times. An expired feed is refused, and so is
// one of the future, with a tolerance of DefaultLeeway. Its errors are
// ErrFeedMalformed, ErrFeedUnknownKey, ErrFeedSignature, ErrFeedIssuer and
// ErrFeedExpired.
//
// An attacker who withholds newer feeds is noticed when the one in use is older
// than the verifier allows; see Revocations.Feed.
func (s *KeySet) RevocationFeed(text, issuer string, now time.Time) (*RevocationFeed, error) {
	if len(text) > MaxFeedPart {
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
	// After the signature, because the text is long.
	p, ok := parseFeed(body)
	if !ok {
		return nil, ErrFeedMalformed
	}
	if issuer == "" || p.issuer != issuer {
		return nil, ErrFeedIssuer
	}
	if p.read = now.Unix(); p.read >= p.expires || p.issued > p.read+feedLeeway {
		return nil, ErrFeedExpired
	}
	return &p.RevocationFeed, nil
}

// feedLeeway is the tolerance for clocks, in seconds. An entry is kept for as long
// after its end, because the verifier's clock may be behind that of the issuer.
const feedLeeway = int64(DefaultLeeway / time.Second)

// feedKey returns the key that signs feeds with this header, or nil. A secret does
// not sign feeds: a verifier that has it could make them.
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

// feedPayload is a part as it was read.
type feedPayload struct {
	RevocationFeed
	issuer string
}

// parseFeed reads the JSON of a part. All lists are required: an absent one would
// lift all revocations of its kind.
func parseFeed(text string) (p feedPayload, ok bool) {
	s, lists := scanner{text: text}, 0
	var roles feedList
	ok = s.object(func(name string) bool {
		switch name {
		case "iss":
			return s.string(&p.issuer)
		case "iat":
			return s.integer(&p.issued)
		case "exp":
			return s.integer(&p.expires)
		case "cursor":
			return s.cursor(&p.cursor)
		case "delta":
			return s.boolean(&p.delta)
		case "since":
			return s.cursor(&p.since)
		case "part":
			return s.integer(&p.part)
		case "parts":
			return s.integer(&p.parts)
		case "users":
			lists++
			return s.feedList(&p.users)
		case "sessions":
			lists++
			return s.feedList(&p.sessions)
		case "roles":
			lists++
			return s.feedList(&roles)
		}
		return s.skip(maxDepth)
	})
	if !ok || s.pos != len(text) || lists != 3 || !p.users.valid(p.delta) || !p.sessions.valid(p.delta) {
		return p, false
	}
	p.roles, ok = readChanges(string(roles), p.delta)
	return p, ok && p.isPlausible()
}

// isPlausible checks the members that are numbers.
func (f *RevocationFeed) isPlausible() bool {
	return f.issued > 0 && f.expires > f.issued && f.cursor > 0 && f.delta == (f.since > 0) &&
		1 <= f.part && f.part <= f.parts && f.parts <= maxFeedParts && f.Len() <= maxPartEntries
}

// cursor reads a cursor, which is opaque to other readers.
func (s *scanner) cursor(value *int64) bool {
	var text string
	if !s.string(&text) || len(text) > maxDigits {
		return false
	}
	number, err := strconv.ParseInt(text, 10, 64)
	*value = number
	return err == nil && number > 0
}

func (s *scanner) feedList(list *feedList) bool {
	var text string
	if !s.string(&text) {
		return false
	}
	data, ok := decode(text)
	*list = data
	return ok
}

package gate

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultLeeway is the difference between clocks that a Verifier tolerates
// unless it is told otherwise.
const DefaultLeeway = time.Minute

// seenInterval is how often Seen is told about a token, in seconds.
const seenInterval = 60

// VerifierConfig says which tokens are good.
type VerifierConfig struct {
	// Issuer, Audience and Purpose are what tokens must state. Where one is
	// empty, no token is good.
	Issuer, Audience string
	Purpose          Purpose
	// Leeway is how far in the future a token may have been issued. Zero means
	// DefaultLeeway, a negative value none. Expiry knows no leeway.
	Leeway time.Duration
	// CacheSize is how many verified tokens are remembered at most, rounded up
	// to a multiple of 8. Zero means DefaultCacheSize, a negative value none.
	CacheSize int
	// Revocations ends tokens early; nil means that none are.
	Revocations *Revocations
	// MaxStaleness is how long ago Revocations may have been complete last: when
	// it is longer ago, a token that seems good is answered with ErrStale. Zero
	// means that it does not matter.
	MaxStaleness time.Duration
	// Seen, if set, receives the claims of a valid token: immediately if the token
	// is not in the cache, then about once a minute. It must not change or retain
	// them. It is called on the request's path and from many goroutines.
	Seen func(claims *Claims, now time.Time)
}

// Verifier checks tokens of one issuer, audience and purpose. It has no keys,
// and so refuses every token, until SetKeys is called.
type Verifier struct {
	cfg    VerifierConfig
	leeway int64 // seconds
	cache  *cache
	// keys holds the key of each header segment that is good.
	keys atomic.Pointer[map[string]*verifyKey]
}

// NewVerifier makes a Verifier.
func NewVerifier(cfg VerifierConfig) *Verifier {
	v := &Verifier{cfg: cfg}
	switch {
	case cfg.Leeway == 0:
		v.leeway = int64(DefaultLeeway / time.Second)
	case cfg.Leeway > 0:
		v.leeway = int64(cfg.Leeway / time.Second)
	}
	switch {
	case cfg.CacheSize == 0:
		v.cache = newCache(DefaultCacheSize)
	case cfg.CacheSize > 0:
		v.cache = newCache(cfg.CacheSize)
	}
	v.keys.Store(&map[string]*verifyKey{})
	return v
}

// SetKeys replaces the keys, at once and as a whole. Tokens of a key that is not
// in the new set stop being good, also those in the cache; those of keys that
// stay remain in the cache. A nil set has no keys.
func (v *Verifier) SetKeys(set *KeySet) {
	before := *v.keys.Load()
	after := map[string]*verifyKey{}
	if set != nil && v.cfg.Purpose != "" {
		for _, key := range set.keys {
			segment := HeaderSegment(key.Key, v.cfg.Purpose)
			// The cache compares keys by address.
			if old := before[segment]; old != nil && old.thumbprint == key.thumbprint {
				key = old
			}
			after[segment] = key
		}
	}
	v.keys.Store(&after)
}

// jws is the shape of a token (RFC 7515, section 7.1): what is known of it before
// any decoding.
type jws struct {
	text string
	// payload and signature are where the dots before them are.
	payload, signature int
	key                *verifyKey
}

// Verify returns what a token says if it is good at the time now. The claims are
// shared and must not be changed. Its error is a *Refusal that matches
// ErrInvalidToken or is ErrUserInactive or ErrStale.
func (v *Verifier) Verify(text string, now time.Time) (*Claims, error) {
	t, err := v.split(text)
	if err != nil {
		return nil, err
	}
	if v.cache == nil {
		return v.verifyNew(t, &digest{}, now)
	}
	d := digestOf(text)
	if e := v.cache.get(&d, t.key); e != nil {
		return v.verifyKnown(e, now)
	}
	return v.verifyNew(t, &d, now)
}

// split refuses what can be refused without decoding, and finds the key.
func (v *Verifier) split(text string) (jws, error) {
	if len(text) > MaxToken {
		return jws{}, ErrMalformed
	}
	t := jws{text: text, payload: strings.IndexByte(text, '.')}
	if t.payload < 0 {
		return jws{}, ErrMalformed
	}
	if t.key = (*v.keys.Load())[text[:t.payload]]; t.key == nil {
		return jws{}, ErrUnknownKey
	}
	if !t.findSignature() {
		return jws{}, ErrMalformed
	}
	return t, nil
}

// findSignature finds the second dot: the length of a signature is fixed.
func (t *jws) findSignature() bool {
	t.signature = len(t.text) - encoding.EncodedLen(t.key.signature) - 1
	return t.signature > t.payload && t.text[t.signature] == '.'
}

// verifyKnown checks what can change after a token was verified.
func (v *Verifier) verifyKnown(e *entry, now time.Time) (*Claims, error) {
	if err := v.checkTimes(&e.claims, now.Unix()); err != nil {
		if errors.Is(err, ErrExpired) {
			v.cache.remove(e)
		}
		return nil, err
	}
	if err := v.checkRevocations(e, now); err != nil {
		return nil, err // and it is not marked as used: it may be replaced
	}
	if !e.used.Load() { // a write that all cores would share, so only once
		e.used.Store(true)
	}
	v.tellSeen(e, now)
	return &e.claims, nil
}

// verifyNew verifies a token from scratch, what is cheap first.
func (v *Verifier) verifyNew(t jws, d *digest, now time.Time) (*Claims, error) {
	body, ok := decode(t.text[t.payload+1 : t.signature])
	if !ok {
		return nil, ErrMalformed
	}
	signature, ok := decode(t.text[t.signature+1:])
	if !ok {
		return nil, ErrMalformed
	}
	p, ok := parsePayload(string(body))
	if !ok {
		return nil, ErrMalformed
	}
	if err := v.checkClaims(&p, now.Unix()); err != nil {
		return nil, err
	}
	if !t.key.verify(t.text[:t.signature], signature) {
		return nil, ErrSignature
	}
	e := &entry{digest: *d, key: t.key, claims: p.Claims}
	e.claims.compact()
	if v.cache != nil {
		// A revoked token goes in too: sent again, it costs no signature.
		v.cache.put(e, now.Unix())
	}
	// Not before the signature: the answer tells whether a user is disabled.
	if err := v.checkRevocations(e, now); err != nil {
		return nil, err
	}
	v.tellSeen(e, now)
	return &e.claims, nil
}

// checkRevocations looks a token up in the revocations, unless there are no
// new ones since it was looked up last. A token that is revoked in an old copy
// stays revoked in a new one, so that the age matters to the others alone.
func (v *Verifier) checkRevocations(e *entry, now time.Time) error {
	revocations := v.cfg.Revocations
	if revocations == nil {
		return nil
	}
	// Read before the check: what is added meanwhile makes another generation.
	generation := revocations.generation.Load()
	if e.clean.Load() != generation+1 {
		if err := revocations.Check(&e.claims); err != nil {
			return err
		}
		e.clean.Store(generation + 1) // zero stands for never
	}
	if v.cfg.MaxStaleness > 0 && revocations.isStale(now, v.cfg.MaxStaleness) {
		return ErrStale
	}
	return nil
}

// tellSeen calls Seen if it is time to.
func (v *Verifier) tellSeen(e *entry, now time.Time) {
	if v.cfg.Seen == nil {
		return
	}
	last, unix := e.seen.Load(), uint32(now.Unix()) //nolint:gosec // see seen
	if unix-last >= seenInterval && e.seen.CompareAndSwap(last, unix) {
		v.cfg.Seen(&e.claims, now)
	}
}

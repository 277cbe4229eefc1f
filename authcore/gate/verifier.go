package gate

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultLeeway is the default difference between clocks that a Verifier tolerates.
const DefaultLeeway = time.Minute

// seenInterval is the time between two calls of Seen for a token, in seconds.
const seenInterval = 60

// VerifierConfig configures a Verifier.
type VerifierConfig struct {
	// Issuer, Audience and Purpose are required in tokens. If one is empty, no token
	// is valid.
	Issuer, Audience string
	Purpose          Purpose
	// Leeway is the tolerance for tokens that were issued in the future. Zero means
	// DefaultLeeway, a negative value none. Expiry has no leeway.
	Leeway time.Duration
	// CacheSize limits the number of verified tokens that are remembered, rounded up
	// to a multiple of 8. Zero means DefaultCacheSize, a negative value none.
	CacheSize int
	// Revocations ends tokens before they expire; nil means that none are.
	Revocations *Revocations
	// MaxStaleness limits the time since Revocations was complete. Beyond it, a token
	// that is otherwise valid is refused with ErrStale. Zero means no limit.
	MaxStaleness time.Duration
	// Seen, if set, receives the claims of a valid token: immediately if the token
	// is not in the cache, then about once a minute. It must not change or retain
	// them. It is called on the request's path and from many goroutines.
	Seen func(claims *Claims, now time.Time)
}

// Verifier checks tokens of one issuer, audience and purpose. It refuses every token
// until SetKeys is called.
type Verifier struct {
	cfg    VerifierConfig
	leeway int64 // seconds
	cache  *cache
	keys   atomic.Pointer[verifyKeys]
}

// verifyKeys maps each valid header segment to its key.
type verifyKeys map[string]*verifyKey

// NewVerifier returns a Verifier without keys.
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
	v.keys.Store(&verifyKeys{})
	return v
}

// SetKeys replaces all keys immediately. Tokens of a key that is not in the new set
// become invalid, also those in the cache; tokens of the other keys remain in the
// cache. A nil set has no keys.
func (v *Verifier) SetKeys(set *KeySet) {
	before := *v.keys.Load()
	after := verifyKeys{}
	if set != nil && v.cfg.Purpose != "" {
		for _, key := range set.keys {
			addKey(before, after, key, v.cfg.Purpose)
			if v.cfg.Purpose == PurposeLogin {
				forKeys := *key // shares the tables of the key
				forKeys.forKeys = true
				addKey(before, after, &forKeys, PurposeKey)
			}
		}
	}
	v.keys.Store(&after)
}

// addKey adds a key under the header of its tokens. The cache compares keys by address,
// so that one that was used before stays.
func addKey(before, after verifyKeys, key *verifyKey, purpose Purpose) {
	segment := HeaderSegment(key.Key, purpose)
	if old := before[segment]; old != nil && old.thumbprint == key.thumbprint {
		key = old
	}
	after[segment] = key
}

// jws is a token (RFC 7515, section 7.1) before it is decoded.
type jws struct {
	text string
	// payload and signature are the positions of the dots before them.
	payload, signature int
	key                *verifyKey
}

// Verify returns the claims of a token if it is valid at the time now. They are shared
// and must not be changed. The error is a *Refusal that matches ErrInvalidToken,
// ErrUserInactive or ErrStale.
func (v *Verifier) Verify(text string, now time.Time) (*Claims, error) {
	return v.verify(text, false, now)
}

// VerifyKey is like Verify for an API key, with its KeyPrefix. The Purpose of the
// Verifier has to be PurposeLogin.
func (v *Verifier) VerifyKey(text string, now time.Time) (*Claims, error) {
	token, isKey := strings.CutPrefix(text, KeyPrefix)
	if !isKey {
		return nil, ErrMalformed
	}
	return v.verify(token, true, now)
}

func (v *Verifier) verify(text string, isKey bool, now time.Time) (*Claims, error) {
	if len(text) > MaxToken {
		return nil, ErrMalformed
	}
	keys, hash := v.keys.Load(), uint64(0)
	if v.cache != nil {
		hash = v.cache.hash(text)
		switch e := v.cache.get(text, hash); {
		case e == nil:
		case !e.isOf(keys):
			v.cache.remove(e)
		case e.key.forKeys == isKey:
			return v.verifyKnown(e, now)
		}
	}
	t, err := split(text, keys, isKey)
	if err != nil {
		return nil, err
	}
	return v.verifyNew(t, keys, hash, now)
}

// isOf reports whether the key of the token belongs to a set.
func (e *entry) isOf(keys *verifyKeys) bool {
	if e.keys.Load() == keys {
		return true
	}
	segment, _, _ := strings.Cut(e.token, ".")
	if (*keys)[segment] != e.key {
		return false
	}
	e.keys.Store(keys)
	return true
}

// split performs the checks that need no decoding, and finds the key.
func split(text string, keys *verifyKeys, isKey bool) (jws, error) {
	t := jws{text: text, payload: strings.IndexByte(text, '.')}
	if t.payload < 0 {
		return jws{}, ErrMalformed
	}
	if t.key = (*keys)[text[:t.payload]]; t.key == nil || t.key.forKeys != isKey {
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

// verifyKnown performs the checks whose result can change after the verification.
func (v *Verifier) verifyKnown(e *entry, now time.Time) (*Claims, error) {
	if err := v.checkTimes(&e.claims, now.Unix()); err != nil {
		if errors.Is(err, ErrExpired) {
			v.cache.remove(e)
		}
		return nil, err
	}
	claims, err := v.current(e, now)
	if err != nil {
		return nil, err // without marking it as used, so that it may be replaced
	}
	if !e.used.Load() { // avoids a write that all cores would share
		e.used.Store(true)
	}
	v.tellSeen(e, now)
	return claims, nil
}

// verifyNew verifies a token that is not in the cache, cheap checks first.
func (v *Verifier) verifyNew(t jws, keys *verifyKeys, hash uint64, now time.Time) (*Claims, error) {
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
	if t.key.forKeys != (p.Method == MethodKey) {
		return nil, ErrClaims
	}
	if !t.key.verify(t.text[:t.signature], signature) {
		return nil, ErrSignature
	}
	e := &entry{token: strings.Clone(t.text), hash: hash, key: t.key, claims: p.Claims} // the text belongs to a whole header
	e.keys.Store(keys)
	e.claims.compact()
	if v.cache != nil {
		// Also a revoked token: sent again, it costs no verification.
		v.cache.put(e, now.Unix())
	}
	// After the signature, because the answer discloses whether a user is disabled.
	claims, err := v.current(e, now)
	if err != nil {
		return nil, err
	}
	v.tellSeen(e, now)
	return claims, nil
}

// current looks a token up in the revocations, unless there are no new ones since the
// last time, and returns its claims with the roles that the user has now. A token that is
// revoked in an old copy is revoked in a new one, too, so the age matters only for the
// others.
func (v *Verifier) current(e *entry, now time.Time) (*Claims, error) {
	claims, revocations := &e.claims, v.cfg.Revocations
	if revocations == nil {
		return claims, nil
	}
	// Read before the check: entries that are added meanwhile change the generation.
	generation := revocations.generation.Load()
	if e.clean.Load() != generation+1 {
		var err error
		if claims, err = e.check(revocations, generation); err != nil {
			return nil, err
		}
	}
	if v.cfg.MaxStaleness > 0 && revocations.isStale(now, v.cfg.MaxStaleness) {
		return nil, ErrStale
	}
	return claims, nil
}

// check looks a token up in the revocations of a generation.
func (e *entry) check(revocations *Revocations, generation uint64) (*Claims, error) {
	if changed := e.changed.Load(); changed != nil && changed.generation == generation {
		return &changed.claims, nil
	}
	if err := revocations.Check(&e.claims); err != nil {
		return nil, err
	}
	roles, differ := revocations.changedRoles(&e.claims)
	if !differ {
		e.clean.Store(generation + 1) // zero means never
		return &e.claims, nil
	}
	changed := &changedClaims{generation, e.claims}
	changed.claims.setRoles(roles)
	e.changed.Store(changed)
	return &changed.claims, nil
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

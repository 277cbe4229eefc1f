package login

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// statePrefix marks our states. Frontends that make their own may send them
	// along: a state without the mark is not checked here.
	statePrefix = "ea."
	// statePurpose separates sealed states from other sealed texts.
	statePurpose = "state"
	// stateLifetime is the time that a user has to log in at the provider.
	stateLifetime = 10 * time.Minute
	// stateKind is the kind of the records of used states.
	stateKind = "state"
)

// Lengths of the parts of a state, in bytes.
const (
	nameLength  = 8
	seedLength  = 32
	userLength  = 16
	stateLength = 8 + 3*nameLength + 2 + 1 + seedLength + userLength
)

// Bits of the flags of a state.
const (
	flagFormPost = 1 << iota
	flagLink
)

// state is the content of the parameter "state" (RFC 6749, section 4.1.1). It is
// sealed, so that a begun login needs no memory here: only states that were used
// are recorded, until they expire. It stays below 250 characters; providers limit
// it, X to 500.
//
// The nonce and the PKCE verifier follow from the seed, which the holder of the
// sealed state cannot read.
type state struct {
	expires time.Time
	// client, provider and redirectURI are shortened digests of what the login was
	// begun for. They identify configured values; the seal protects them.
	client, provider, redirectURI [nameLength]byte
	// port of a redirect URI on a loopback host, which need not be configured; else 0.
	port uint16
	// formPost: the provider posts its response to our redirect URI.
	formPost bool
	// link: the login adds an identity to the user whose shortened digest is user.
	link bool
	user [userLength]byte
	seed [seedLength]byte
}

func clientDigest(name string) [nameLength]byte   { return shorten("state client", name) }
func providerDigest(name string) [nameLength]byte { return shorten("state provider", name) }
func redirectDigest(uri string) [nameLength]byte  { return shorten("state redirect URI", uri) }

func shorten(purpose, text string) [nameLength]byte {
	digest := authcore.DigestOf(purpose, text)
	return [nameLength]byte(digest[:nameLength])
}

func userDigest(id string) [userLength]byte {
	digest := authcore.DigestOf("state user", id)
	return [userLength]byte(digest[:userLength])
}

func (t *state) nonce() string    { return t.derive("state nonce") }
func (t *state) verifier() string { return t.derive("state verifier") }

func (t *state) derive(purpose string) string {
	return authcore.DigestOf(purpose, string(t.seed[:])).String()
}

// used is the record of a used state.
func (t *state) used(now time.Time) authcore.Record {
	return authcore.Record{RecordKey: t.usedKey(), Created: now, Expires: t.expires}
}

func (t *state) usedKey() authcore.RecordKey {
	return authcore.RecordKey{Kind: stateKind, Key: t.derive("used state")}
}

func (t *state) encode() []byte {
	text := binary.BigEndian.AppendUint64(make([]byte, 0, stateLength), uint64(t.expires.Unix())) //nolint:gosec // times after 1970
	text = append(text, t.client[:]...)
	text = append(text, t.provider[:]...)
	text = append(text, t.redirectURI[:]...)
	text = binary.BigEndian.AppendUint16(text, t.port)
	var flags byte
	if t.formPost {
		flags |= flagFormPost
	}
	if t.link {
		flags |= flagLink
	}
	text = append(text, flags)
	text = append(text, t.seed[:]...)
	return append(text, t.user[:]...)
}

// decodeState reads what encode wrote.
func decodeState(text []byte) (state, bool) {
	if len(text) != stateLength {
		return state{}, false
	}
	next := func(n int) []byte {
		part := text[:n]
		text = text[n:]
		return part
	}
	var t state
	t.expires = time.Unix(int64(binary.BigEndian.Uint64(next(8))), 0) //nolint:gosec // what encode wrote
	t.client, t.provider, t.redirectURI = [nameLength]byte(next(nameLength)), [nameLength]byte(next(nameLength)), [nameLength]byte(next(nameLength))
	t.port = binary.BigEndian.Uint16(next(2))
	flags := next(1)[0]
	t.formPost, t.link = flags&flagFormPost != 0, flags&flagLink != 0
	t.seed, t.user = [seedLength]byte(next(seedLength)), [userLength]byte(next(userLength))
	return t, flags&^(flagFormPost|flagLink) == 0
}

// seal returns the text of a state.
func (s *Service) seal(t state) (string, error) {
	sealed, err := s.cfg.Keys.Seal(statePurpose, t.encode())
	return statePrefix + sealed, err
}

// unseal returns a state that is ours and has not expired, or invalidState.
func (s *Service) unseal(text string) (state, error) {
	sealed, ours := strings.CutPrefix(text, statePrefix)
	if !ours || len(sealed) > 2*stateLength {
		return state{}, invalidState()
	}
	plain, err := s.cfg.Keys.Open(statePurpose, sealed)
	if err != nil {
		return state{}, invalidState()
	}
	t, ok := decodeState(plain)
	if !ok || !s.cfg.Now().Before(t.expires) {
		return state{}, invalidState()
	}
	return t, nil
}

// checkUnused returns invalidState if the state was used. The login step checks it
// again; here it is noticed before the code is redeemed, which works only once.
func (s *Service) checkUnused(ctx context.Context, t *state) error {
	_, err := s.store.Record(ctx, t.usedKey(), s.cfg.Now())
	switch {
	case err == nil:
		return invalidState()
	case errors.Is(err, authcore.ErrNotFound):
		return nil
	default:
		return authcore.Unavailable(err)
	}
}

func invalidState() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeInvalidState,
		"This sign-in has expired or was started elsewhere. Please try again.")
}

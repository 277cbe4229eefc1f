package passkey

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

const (
	// ChallengeLifetime is the time for which options can be used. Pages that are left
	// open ask for new ones.
	ChallengeLifetime = 10 * time.Minute
	// ceremonyTimeout is the time that browsers give the user.
	ceremonyTimeout = 5 * time.Minute
	// challengeKind is the kind of the records of used challenges.
	challengeKind = "passkey-challenge"
)

// The purposes of challenges. One for a login is refused for a registration.
const (
	purposeLogin    = "passkey login"
	purposeRegister = "passkey registration"
)

// Lengths of the parts of a challenge, in bytes.
const (
	seedLength   = 16
	partyLength  = 16
	handleLength = 32
	// maxChallenge limits the text of a challenge that is opened.
	maxChallenge = 256
)

// challenge is the content of a challenge. It is sealed, so that options need no memory
// here: only challenges that were used are recorded, until they expire.
type challenge struct {
	expires time.Time
	seed    [seedLength]byte
	// party is a digest of the user and the session that register, and handle the user
	// handle that the authenticator receives; zero for a login.
	party  [partyLength]byte
	handle [handleLength]byte
}

// partyOf returns the party of the session of a token.
func partyOf(claims *gate.Claims) [partyLength]byte {
	digest := authcore.DigestOf("passkey party", claims.Subject, claims.Session)
	return [partyLength]byte(digest[:partyLength])
}

// seal returns the bytes of a challenge; text is their base64url form, which the
// browser returns.
func (s *Service) seal(purpose string, c challenge) ([]byte, error) {
	plain := binary.BigEndian.AppendUint64(nil, uint64(s.cfg.Now().Add(ChallengeLifetime).Unix())) //nolint:gosec // times after 1970
	plain = append(plain, authcore.RandomBytes(seedLength)...)
	if purpose == purposeRegister {
		plain = append(append(plain, c.party[:]...), c.handle[:]...)
	}
	text, err := s.cfg.Keys.Seal(purpose, plain)
	if err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.DecodeString(text)
}

// open returns the content of a challenge that is ours, was made for this purpose and
// has not expired.
func (s *Service) open(purpose, text string) (challenge, bool) {
	if len(text) > maxChallenge {
		return challenge{}, false
	}
	plain, err := s.cfg.Keys.Open(purpose, text)
	if err != nil {
		return challenge{}, false
	}
	wanted := 8 + seedLength
	if purpose == purposeRegister {
		wanted += partyLength + handleLength
	}
	if len(plain) != wanted {
		return challenge{}, false
	}
	c := challenge{expires: time.Unix(int64(binary.BigEndian.Uint64(plain)), 0).UTC(), seed: [seedLength]byte(plain[8:])} //nolint:gosec // what seal wrote
	if purpose == purposeRegister {
		rest := plain[8+seedLength:]
		c.party, c.handle = [partyLength]byte(rest), [handleLength]byte(rest[partyLength:])
	}
	return c, s.cfg.Now().Before(c.expires)
}

// used is the record of a used challenge.
func (c challenge) used(now time.Time) authcore.Record {
	key := authcore.DigestOf("used passkey challenge", string(c.seed[:])).String()
	return authcore.Record{RecordKey: authcore.RecordKey{Kind: challengeKind, Key: key}, Created: now, Expires: c.expires}
}

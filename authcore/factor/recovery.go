package factor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// recoveryCodes is the number of recovery codes of a user.
	recoveryCodes = 10
	// recoveryBytes are the random bytes of one: 80 bits.
	recoveryBytes = 10
	// recoveryGroup is the number of characters between two hyphens.
	recoveryGroup = 4
)

// crockford is the alphabet of recovery codes: no letter looks like a digit.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// recoveryData is the content of a "recovery" record.
type recoveryData struct {
	// Codes are digests of the codes that were not used.
	Codes []string `json:"codes"`
	// LastUsed is the time at which a code was used.
	LastUsed time.Time `json:"last_used,omitzero"`
}

// makeRecovery returns new codes and the record that contains their digests.
func (s *Service) makeRecovery(userID string) (codes []string, record authcore.Record, err error) {
	var data recoveryData
	for range recoveryCodes {
		code := recoveryText(authcore.RandomBytes(recoveryBytes))
		codes = append(codes, code)
		data.Codes = append(data.Codes, recoveryDigest(userID, normalRecovery(code)))
	}
	record = authcore.Record{
		RecordKey: authcore.RecordKey{Kind: authcore.FactorRecovery, Key: authcore.RandomID()}, Owner: userID, Created: s.cfg.Now(),
	}
	record.Data, err = json.Marshal(data)
	return codes, record, err
}

// recoveryText writes 80 bits as four groups of four characters.
func recoveryText(bits []byte) string {
	var b strings.Builder
	buffer, held, written := 0, 0, 0
	for _, octet := range bits {
		buffer, held = buffer<<8|int(octet), held+8
		for ; held >= 5; held -= 5 {
			if written > 0 && written%recoveryGroup == 0 {
				b.WriteByte('-')
			}
			b.WriteByte(crockford[buffer>>(held-5)&31])
			written++
		}
		buffer &= 1<<held - 1
	}
	return b.String()
}

// normalRecovery returns a code as it is hashed: without separators, in lower case, and
// with the letters that look like digits replaced.
func normalRecovery(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'o':
			return '0'
		case 'i', 'l':
			return '1'
		}
		if strings.ContainsRune(crockford, r) {
			return r
		}
		return -1
	}, strings.ToLower(text))
}

func recoveryDigest(userID, normal string) string {
	return authcore.DigestOf("recovery code", userID, normal).String()
}

// useRecovery accepts a recovery code once. Of several simultaneous calls with one code,
// one succeeds.
func (s *Service) useRecovery(ctx context.Context, user authcore.User, code string) error {
	enrolled, has := user.Factor(authcore.FactorRecovery)
	if !has {
		return invalidCode()
	}
	digest := recoveryDigest(user.ID, normalRecovery(code))
	now := s.cfg.Now()
	_, err := s.store.UpdateRecord(ctx, recordOf(enrolled), now, func(record *authcore.Record) error {
		var data recoveryData
		if err := record.Decode(&data); err != nil {
			return err
		}
		i := slices.Index(data.Codes, digest)
		if i < 0 {
			return invalidCode()
		}
		data.Codes, data.LastUsed = slices.Delete(data.Codes, i, i+1), now
		var err error
		record.Data, err = json.Marshal(data)
		return err
	})
	return err
}

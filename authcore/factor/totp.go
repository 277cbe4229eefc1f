package factor

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/edgeauth/edgeauth/authcore"
)

// The parameters of RFC 6238 that every authenticator application supports.
const (
	step        = 30 * time.Second
	digits      = otp.DigitsSix
	secretBytes = 20
	// skew is the number of steps that the clock of the application may be off (RFC
	// 6238, section 5.2).
	skew = 1
)

// totpData is the content of a "totp" record.
type totpData struct {
	// Secret is encrypted with the realm key.
	Secret []byte `json:"secret"`
	// LastStep is the step of the last accepted code. A code is accepted once, and
	// none of an earlier step after it (RFC 6238, section 5.2).
	LastStep int64 `json:"last_step"`
	// LastUsed is the time at which it was accepted.
	LastUsed time.Time `json:"last_used,omitzero"`
}

// matchStep returns the step of a code at the time now, or false.
func matchStep(secret []byte, code string, now time.Time) (matched int64, ok bool, err error) {
	current := now.Unix() / int64(step/time.Second)
	for candidate := current - skew; candidate <= current+skew; candidate++ {
		if candidate < 0 {
			continue
		}
		expected, err := codeOf(secret, candidate)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(expected), []byte(code)) == 1 {
			matched, ok = candidate, true
		}
	}
	return matched, ok, nil
}

// codeOf returns the code of a step (RFC 4226, section 5.3).
func codeOf(secret []byte, at int64) (string, error) {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	options := hotp.ValidateOpts{Digits: digits, Algorithm: otp.AlgorithmSHA1}
	return hotp.GenerateCodeCustom(text, uint64(at), options) //nolint:gosec // G115: matchStep excludes negative steps
}

// useTOTP accepts a code of the user's application once. Of several simultaneous calls
// with one code, one succeeds.
func (s *Service) useTOTP(ctx context.Context, user authcore.User, code string) error {
	enrolled, has := user.Factor(authcore.FactorTOTP)
	if !has {
		return invalidCode()
	}
	key, err := s.realmKey(ctx)
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	_, err = s.store.UpdateRecord(ctx, recordOf(enrolled), now, func(record *authcore.Record) error {
		var data totpData
		if err := record.Decode(&data); err != nil {
			return err
		}
		secret, err := decrypt(key, user.ID, data.Secret)
		if err != nil {
			return err
		}
		at, ok, err := matchStep(secret, code, now)
		switch {
		case err != nil:
			return err
		case !ok || at <= data.LastStep:
			return invalidCode()
		}
		data.LastStep, data.LastUsed = at, now
		record.Data, err = json.Marshal(data) //nolint:gosec // G117: encrypted
		return err
	})
	return err
}

func recordOf(f authcore.Factor) authcore.RecordKey {
	return authcore.RecordKey{Kind: f.Kind, Key: f.ID}
}

// keyURI returns the address that an authenticator application reads (otpauth), and the
// secret as people type it.
func (s *Service) keyURI(user authcore.User, secret []byte) (uri, typed string, err error) {
	label := cmp.Or(user.Email, user.Username(), user.ID)
	// A colon separates issuer and account in the label.
	issuer := strings.ReplaceAll(s.cfg.Title, ":", " ")
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: label, Secret: secret, Period: uint(step / time.Second), Digits: digits, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return "", "", fmt.Errorf("describe a totp secret: %w", err)
	}
	return key.URL(), key.Secret(), nil
}

package login

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// idTokenKind is the kind of the records of used ID tokens.
	idTokenKind = "id-token"
	// idTokenMemory exceeds the time for which any ID token is accepted.
	idTokenMemory = 24 * time.Hour
)

// redeemIDToken verifies the ID token.
func (m *social) redeemIDToken(ctx context.Context) (authcore.Profile, error) {
	verifier, ok := m.provider.(authcore.IDTokenVerifier)
	if !ok {
		return authcore.Profile{}, authcore.NewError(http.StatusBadRequest, authcore.CodeIDTokenUnsupported,
			"This provider gives no ID tokens to applications. Send a code.")
	}
	profile, err := verifier.VerifyIDToken(ctx, authcore.IDTokenRequest{IDToken: m.IDToken, Nonce: m.Nonce, User: m.User})
	if err != nil {
		return authcore.Profile{}, m.providerError(m.provider.Name(), err)
	}
	return profile, nil
}

// usedIDToken is the record of a used ID token. Unlike a code, an ID token is not
// used up by its provider: one that is found in a log, or that another service of
// the same audience received, must not work again (RFC 9700, section 4.5).
//
// With a nonce the key is the nonce of this account: an SDK may issue several tokens
// for one login, and a nonce belongs to one (OpenID Connect Core 1.0, section
// 15.5.2). Otherwise it covers what the signature covers, because a signature can be
// encoded in several ways. Neither includes the provider's name: several configured
// providers may accept the tokens of one issuer.
func usedIDToken(raw, nonce string, identity authcore.IdentityKey, now time.Time) authcore.Record {
	digest := authcore.DigestOf("id token", raw[:strings.LastIndexByte(raw, '.')+1])
	if nonce != "" {
		digest = authcore.DigestOf("id token nonce", authcore.DigestOf(identity.Issuer, identity.Subject).String()+nonce)
	}
	return authcore.Record{
		RecordKey: authcore.RecordKey{Kind: idTokenKind, Key: digest.String()},
		Created:   now, Expires: now.Add(idTokenMemory),
	}
}

func idTokenUsed() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeIDTokenUsed, "This ID token was used already. Please try again.")
}

package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/edgeauth/edgeauth/authcore"
)

// openIDProvider is a provider that also verifies ID tokens which an application
// received from the provider's SDK.
type openIDProvider struct{ *provider }

var _ authcore.IDTokenVerifier = openIDProvider{}

// VerifyIDToken implements [authcore.IDTokenVerifier].
func (p openIDProvider) VerifyIDToken(ctx context.Context, request authcore.IDTokenRequest) (authcore.Profile, error) {
	return within(ctx, p.provider, func(ctx context.Context) (authcore.Profile, error) {
		md, err := p.metadata(ctx)
		if err != nil {
			return authcore.Profile{}, err
		}
		if request.IDToken == "" || len(request.IDToken) > maxIDToken {
			return authcore.Profile{}, mismatch("ID token is empty or too large")
		}
		_, claims, err := p.readIDToken(ctx, md, request.IDToken, p.audiences, false)
		if errors.Is(err, errOld) {
			return authcore.Profile{}, fmt.Errorf("%w: %w", authcore.ErrIDTokenExpired, err)
		}
		if err != nil {
			return authcore.Profile{}, err
		}
		if err := checkAppKind(claims); err != nil {
			return authcore.Profile{}, mismatch("ID token: %w", err)
		}
		if err := checkAppNonce(claims, request.Nonce); err != nil {
			return authcore.Profile{}, err
		}
		g := &grant{provider: p.provider, metadata: md, claims: claims, user: request.User}
		return g.profile(ctx)
	})
}

// checkAppNonce compares the nonce of the application with the nonce in its token.
// The provider copies the value that its SDK was given: the nonce, or with some
// SDKs its SHA-256 in hexadecimal, which hides the nonce from observers of the
// authorization request. Either form proves that the token was issued for the
// holder of the nonce. A nonce on one side only proves nothing.
func checkAppNonce(claims object, nonce string) error {
	got, ok := claims.text("nonce")
	hashed := sha256.Sum256([]byte(nonce))
	switch {
	case ok && got == nonce: // both may be empty
		return nil
	case ok && nonce != "" && got == hex.EncodeToString(hashed[:]):
		return nil
	default:
		return mismatch("ID token: nonce does not match this login")
	}
}

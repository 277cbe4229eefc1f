package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/edgeauth/edgeauth/authcore"
)

// openIDProvider is a provider that also takes ID tokens which an application
// got by itself.
type openIDProvider struct{ *provider }

var _ authcore.IDTokenVerifier = openIDProvider{}

// VerifyIDToken implements authcore.IDTokenVerifier.
func (p openIDProvider) VerifyIDToken(ctx context.Context, request authcore.IDTokenRequest) (authcore.Profile, error) {
	return within(ctx, p.provider, func(ctx context.Context) (authcore.Profile, error) {
		md, err := p.metadata(ctx)
		if err != nil {
			return authcore.Profile{}, err
		}
		if request.IDToken == "" || len(request.IDToken) > maxIDToken {
			return authcore.Profile{}, mismatch("ID token: is empty or too large")
		}
		_, claims, err := p.readIDToken(ctx, md, request.IDToken, p.audiences)
		if err != nil {
			return authcore.Profile{}, err
		}
		if err := checkAppNonce(claims, request.Nonce); err != nil {
			return authcore.Profile{}, err
		}
		g := &grant{provider: p.provider, metadata: md, claims: claims, user: request.User}
		return g.profile(ctx)
	})
}

// checkAppNonce compares the nonce of an application with that of its token.
// The provider puts into the token what its SDK was given: the nonce, or for
// some SDKs its SHA-256 in hexadecimal, so that whoever sees the request to the
// provider does not know the nonce. Both is proof that the token was made for
// whoever knows the nonce; one without the other is none.
func checkAppNonce(claims object, nonce string) error {
	got, ok := claims.text("nonce")
	hashed := sha256.Sum256([]byte(nonce))
	switch {
	case ok && got == nonce: // also where both are missing
		return nil
	case ok && nonce != "" && got == hex.EncodeToString(hashed[:]):
		return nil
	default:
		return mismatch("ID token: nonce is not that of this login")
	}
}

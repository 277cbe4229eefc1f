package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// secretLifetime is the lifetime of a client secret. Apple allows six months; a
// single request needs seconds, which limits the use of a stolen secret.
const secretLifetime = 5 * time.Minute

// signingKey signs client secrets.
type signingKey struct {
	team, id string
	private  *ecdsa.PrivateKey
}

// parseSigningKey parses the file AuthKey_<id>.p8 from Apple. Its errors contain no
// part of it.
func parseSigningKey(team, id, text string) (*signingKey, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // validate checks whether the kind requires a key
	}
	der := authcore.DecodePEM(text)
	if der == nil {
		return nil, errors.New(`the value is not PEM; use the whole contents of the .p8 file, including the line "-----BEGIN PRIVATE KEY-----"`)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	private, isEC := parsed.(*ecdsa.PrivateKey)
	if err != nil || !isEC || private.Curve != elliptic.P256() {
		return nil, errors.New("the value is not a P-256 key in PKCS #8; use the .p8 file from Apple unchanged")
	}
	return &signingKey{team: team, id: id, private: private}, nil
}

// clientSecret signs a client secret for one request
// (https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret).
func (k *signingKey) clientSecret(clientID, audience string, now time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": k.team, "sub": clientID, "aud": audience,
		"iat": now.Unix(), "exp": now.Add(secretLifetime).Unix(),
	})
	token.Header["kid"] = k.id
	text, err := token.SignedString(k.private)
	if err != nil {
		return "", failed("signing the client secret failed")
	}
	return text, nil
}

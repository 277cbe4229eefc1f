package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// secretLifetime is how long a minted client secret is good. Apple allows half
// a year; one request needs a moment, and this bounds what a stolen one is worth.
const secretLifetime = 5 * time.Minute

// signingKey signs client secrets.
type signingKey struct {
	team, id string
	private  *ecdsa.PrivateKey
}

// parseSigningKey reads what Apple hands out as AuthKey_<id>.p8. Its errors
// quote nothing of it.
func parseSigningKey(team, id, text string) (*signingKey, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // validate knows whether the kind needs one
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New(`is no PEM text; set it to the whole contents of the .p8 file, from "-----BEGIN PRIVATE KEY-----" on`)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, isEC := parsed.(*ecdsa.PrivateKey)
	if err != nil || !isEC || private.Curve != elliptic.P256() {
		return nil, errors.New("is no P-256 key in PKCS #8; use the .p8 file as Apple made it")
	}
	return &signingKey{team: team, id: id, private: private}, nil
}

// clientSecret mints a client secret for one request
// (https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret).
func (k *signingKey) clientSecret(clientID, audience string, now time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": k.team, "sub": clientID, "aud": audience,
		"iat": now.Unix(), "exp": now.Add(secretLifetime).Unix(),
	})
	token.Header["kid"] = k.id
	text, err := token.SignedString(k.private)
	if err != nil {
		return "", failed("client secret: cannot be signed")
	}
	return text, nil
}

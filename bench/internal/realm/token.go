package realm

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// issuer is the issuer and audience of the default realm.
const issuer = "edgeauth"

// signer makes tokens.
type signer struct {
	key     gate.Key
	private any
}

// loadSigner reads the signing key of a store.
func loadSigner(ctx context.Context, store authcore.Keys) (signer, error) {
	keys, err := store.UpdateKeys(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) { return keys, nil })
	if err != nil {
		return signer{}, err
	}
	if len(keys) == 0 {
		return signer{}, errors.New("the realm has no key")
	}
	key := keys[len(keys)-1]
	s := signer{key: gate.Key{ID: key.ID, Algorithm: key.Algorithm}, private: key.Private}
	if key.Algorithm != gate.HS256 {
		s.private, err = x509.ParsePKCS8PrivateKey(key.Private)
	}
	return s, err
}

func (s signer) sign(claims gate.Claims) (string, error) {
	payload, err := json.Marshal(gate.Statement{Issuer: issuer, Audience: issuer, Claims: claims})
	if err != nil {
		return "", err
	}
	text := gate.HeaderSegment(s.key, gate.PurposeLogin) + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := jwt.GetSigningMethod(s.key.Algorithm).Sign(text, s.private)
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func (r *Realm) claims(i int) gate.Claims {
	return gate.Claims{
		Subject: userID(i), ID: id(tokenKind, i), Session: id(sessionKind, i),
		IssuedAt: r.now.Unix(), ExpiresAt: r.now.Add(lifetime).Unix(), AuthTime: r.now.Unix(),
		Client: ClientName, Method: authcore.MethodLink,
		Email: email(i), EmailVerified: true, Name: "Ann Example",
	}
}

// Tokens returns the good tokens number from to from+n-1. Those below the number
// of sessions belong to a session of the store.
func (r *Realm) Tokens(ctx context.Context, from, n int) ([]string, error) {
	return mint(ctx, n, func(i int) (string, error) { return r.signer.sign(r.claims(from + i)) })
}

// Forged returns tokens that differ from good ones in who signed them: somebody
// else, who names the realm's key. A gate has to do the whole arithmetic to tell.
func (r *Realm) Forged(ctx context.Context, n int) ([]string, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	stranger := signer{key: r.signer.key, private: private}
	return mint(ctx, n, func(i int) (string, error) { return stranger.sign(r.claims(i)) })
}

// UnknownKey returns a token that names a key which the realm does not have.
func (r *Realm) UnknownKey() (string, error) {
	stranger := r.signer
	stranger.key.ID = "Q2Fubm90IGJlIGZvdW5kIGFueXdoZXJlIGhlcmUhIQ"
	return stranger.sign(r.claims(0))
}

// WrongAlgorithm returns a token that names the realm's key and another algorithm
// than the key's (RFC 8725, section 2.1).
func (r *Realm) WrongAlgorithm() (string, error) {
	confused := signer{key: gate.Key{ID: r.signer.key.ID, Algorithm: gate.HS256}, private: []byte(r.signer.key.ID)}
	return confused.sign(r.claims(0))
}

// Expired returns a token that was good until an hour ago.
func (r *Realm) Expired() (string, error) {
	claims := r.claims(0)
	claims.IssuedAt, claims.AuthTime = r.now.Add(-lifetime).Unix(), r.now.Add(-lifetime).Unix()
	claims.ExpiresAt = r.now.Add(-time.Hour).Unix()
	return r.signer.sign(claims)
}

func mint(ctx context.Context, n int, sign func(i int) (string, error)) ([]string, error) {
	tokens := make([]string, n)
	err := parallel(ctx, cores(), n, func(i int) (err error) {
		tokens[i], err = sign(i)
		return err
	})
	return tokens, err
}

// RevokedID returns the id of a token that is revoked where Spec.Revoked is set.
func (r *Realm) RevokedID(i int) string { return id(oldTokenKind, i) }

// Verifier makes a verifier of the realm's tokens.
func (r *Realm) Verifier(cfg gate.VerifierConfig) (*gate.Verifier, error) {
	public := r.signer.private
	if private, ok := public.(crypto.Signer); ok {
		public = private.Public()
	}
	set, err := gate.NewKeySet(gate.Key{ID: r.signer.key.ID, Algorithm: r.signer.key.Algorithm, Public: public})
	if err != nil {
		return nil, err
	}
	cfg.Issuer, cfg.Audience, cfg.Purpose = issuer, issuer, gate.PurposeLogin
	verifier := gate.NewVerifier(cfg)
	verifier.SetKeys(set)
	return verifier, nil
}

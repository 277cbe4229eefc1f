package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// Limits of an ID token.
const (
	maxIDToken = 64 << 10
	// maxAge limits the age of a token: it is issued during the login.
	maxAge = 10 * time.Minute
	// leeway allows for a provider whose clock is ahead.
	leeway = time.Minute
)

// errOld is returned for a token whose time has passed. Everything else about it is
// right.
var errOld = errors.New("the token is too old")

// verifyIDToken checks the ID token of a token response (OpenID Connect Core
// 1.0, section 3.1.3.7) and returns its claims.
func (p *provider) verifyIDToken(ctx context.Context, md metadata, token *tokens, nonce string) (object, error) {
	raw := strings.TrimSpace(token.members.display("id_token"))
	if raw == "" {
		return nil, failed("ID token is missing or not a string; request the scope openid")
	}
	verified, claims, err := p.readIDToken(ctx, md, raw, []string{p.cfg.ClientID}, true)
	if err != nil {
		return nil, err
	}
	// A token with a nonce belongs to a login that began with this nonce, also if
	// the call contains none. Otherwise an attacker with a stolen code could omit
	// the state and with it the nonce (RFC 9700, section 4.5.3.2).
	if p.spec.nonce {
		if got, ok := claims.text("nonce"); !ok || got != nonce {
			return nil, mismatch("ID token: nonce does not match this login")
		}
	}
	if claims.has("at_hash") && verified.VerifyAccessToken(token.access) != nil {
		return nil, mismatch("ID token: at_hash does not match the access token")
	}
	return claims, nil
}

// readIDToken verifies an ID token independently of its origin. ours is set if it
// came from the token endpoint.
//
// Package oidc parses it and verifies the signature with the keys from
// signatureCheck. checkClaims checks the claims by exact name, with errors that
// contain no values.
func (p *provider) readIDToken(ctx context.Context, md metadata, raw string, audiences []string, ours bool) (*oidc.IDToken, object, error) {
	if len(raw) > maxIDToken {
		return nil, nil, failed("ID token is too large")
	}
	var allowed []string
	for _, algorithm := range md.algorithms {
		allowed = append(allowed, string(algorithm))
	}
	check := &signatureCheck{keys: p.keys, algorithms: md.algorithms, urgent: ours}
	verified, err := oidc.NewVerifier(p.issuer, check, &oidc.Config{
		SupportedSigningAlgs: allowed,
		SkipClientIDCheck:    true,
		SkipIssuerCheck:      true,
		SkipExpiryCheck:      true,
	}).Verify(ctx, raw)
	switch {
	case check.unavailable != nil:
		return nil, nil, check.unavailable
	case !check.passed:
		return nil, nil, mismatch("ID token: format, algorithm or signature is not valid")
	case err != nil:
		return nil, nil, failed("ID token: a claim has the wrong type")
	}
	var claims object
	if err := verified.Claims(&claims); err != nil {
		return nil, nil, failed("ID token: the claims are not a JSON object")
	}
	if err := checkKind(check.typ, claims); err != nil {
		return nil, nil, mismatch("ID token: %w", err)
	}
	if err := p.checkIssuer(claims, check.keyIssuer); err != nil {
		return nil, nil, mismatch("ID token: %w", err)
	}
	if err := p.checkClaims(claims, audiences); err != nil {
		return nil, nil, mismatch("ID token: %w", err)
	}
	return verified, claims, nil
}

// checkClaims checks the claims that bind the token to client and time.
func (p *provider) checkClaims(claims object, audiences []string) error {
	audience, ok := claims.texts("aud")
	foreign := slices.DeleteFunc(slices.Clone(audience), func(one string) bool { return slices.Contains(audiences, one) })
	if !ok || len(foreign) == len(audience) {
		return errors.New("aud does not contain client_id")
	}
	party, ok := claims.text("azp")
	if !ok || party == "" && len(foreign) > 0 || party != "" && !slices.Contains(audiences, party) {
		return errors.New("azp is not client_id")
	}
	now := p.deps.Now()
	expires, ok := claims.unix("exp")
	if !ok {
		return errors.New("exp is missing")
	}
	issued, ok := claims.unix("iat")
	if !ok || issued.After(now.Add(leeway)) {
		return errors.New("iat is missing or in the future; check the clock of this machine")
	}
	if claims.has("nbf") {
		if begins, ok := claims.unix("nbf"); !ok || begins.After(now.Add(leeway)) {
			return errors.New("nbf is in the future")
		}
	}
	if !now.Before(expires) || issued.Before(now.Add(-maxAge)) {
		return fmt.Errorf("%w: exp has passed or iat is too old; check the clock of this machine", errOld)
	}
	return nil
}

// signatureCheck is the oidc.KeySet for one token. It records whether the signature
// is invalid or the keys are unavailable.
type signatureCheck struct {
	keys       *cached[keySet]
	algorithms []jose.SignatureAlgorithm

	// urgent loads a new key set without a pause: the token came from the token
	// endpoint, so that only the provider determines the number of loads.
	urgent bool

	passed      bool
	typ         string // of the header, RFC 7515, section 4.1.9
	keyIssuer   string // of the key that verified
	unavailable error
}

// VerifySignature implements oidc.KeySet. A new key may have signed a token that no
// known key verifies, so the keys are loaded again. cached limits the rate: tokens
// with made-up key ids must not flood the provider.
func (s *signatureCheck) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	token, err := jose.ParseSignedCompact(raw, s.algorithms)
	if err != nil {
		return nil, err
	}
	s.typ, _ = token.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	if _, present := token.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]; present && s.typ == "" {
		return nil, errTokenKind
	}
	var outdated uint64
	for range 2 {
		keys, generation, err := s.keys.find(ctx, outdated, s.urgent)
		if err != nil {
			s.unavailable = err
			return nil, err
		}
		if generation == outdated {
			break
		}
		outdated = generation
		if payload, issuer, ok := keys.verify(token); ok {
			s.passed, s.keyIssuer = true, issuer
			return payload, nil
		}
	}
	return nil, errors.New("no key verifies the signature")
}

package authcore

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"
)

// How long a spent ID token is remembered.
const (
	// idTokenMemory is longer than any provider lets its ID tokens live, and
	// longer than they are taken here.
	idTokenMemory = 24 * time.Hour
	// idTokenRace is longer than one login call takes.
	idTokenRace = 10 * time.Minute
)

// idTokenPurpose separates digests of ID tokens from others.
const idTokenPurpose = "id token"

// redeemIDToken asks the provider who an ID token is about, and spends it.
func (s *Service) redeemIDToken(ctx context.Context, _ *Client, provider Provider, r SocialLogin) (Profile, error) {
	verifier, ok := provider.(IDTokenVerifier)
	if !ok {
		return Profile{}, &Error{
			Status: http.StatusBadRequest, Code: CodeIDTokenUnsupported,
			Detail: "This provider gives no ID tokens to applications. Send a code.",
		}
	}
	if err := s.throttle(ctx, limit{"login-ip", party(r.Caller.IP), s.cfg.Limits.LoginPerIP}); err != nil {
		return Profile{}, err
	}
	profile, err := verifier.VerifyIDToken(ctx, IDTokenRequest{IDToken: r.IDToken, Nonce: r.Nonce, User: r.User})
	if err != nil {
		return Profile{}, s.providerError(provider.Name(), err)
	}
	return profile, s.spendIDToken(ctx, provider.Name(), r.IDToken)
}

// spendIDToken makes an ID token good for one login: unlike a code, nobody else
// does. Whoever found one in a log or at another service of the same audience
// comes too late with it, as long as its owner came first.
//
// The token is known by what its signature covers: the signature itself can be
// written in several ways. The configured provider does not count, as several of
// them may take the tokens of one issuer. Of several calls at once the counter lets one go on;
// for later ones, also after a restart, a flow under the token's digest stands.
// No answer is given before it is stored.
func (s *Service) spendIDToken(ctx context.Context, provider, raw string) error {
	signed := raw[:strings.LastIndexByte(raw, '.')+1]
	digest := DigestOf(idTokenPurpose, signed)
	now := s.now()
	tallies, err := s.store.Count(ctx, now, []Counter{{
		Limit: "id-token", Party: base64.RawURLEncoding.EncodeToString(digest[:]), Window: idTokenRace,
	}})
	if err != nil {
		return unavailable(err)
	}
	if tallies[0].N > 1 {
		return idTokenUsed()
	}
	_, err = s.store.UpdateFlow(ctx, digest, now, func(*Flow) error { return errUnchanged })
	switch {
	case errors.Is(err, errUnchanged):
		return idTokenUsed()
	case !errors.Is(err, ErrNotFound):
		return unavailable(err)
	}
	if err := s.store.PutFlow(ctx, Flow{State: digest, Provider: provider, Expires: now.Add(idTokenMemory)}); err != nil {
		return unavailable(err)
	}
	return nil
}

func idTokenUsed() *Error {
	return &Error{
		Status: http.StatusBadRequest, Code: CodeIDTokenUsed,
		Detail: "This ID token was used already. Begin the login again.",
	}
}

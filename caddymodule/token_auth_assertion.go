package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore/gate"
	core "github.com/edgeauth/edgeauth/authcore/realm"
)

// provisionAssertion sets the defaults of the assertion and checks its options.
func (t *TokenAuth) provisionAssertion(resolve resolver) (err error) {
	if t.Assertion == nil {
		return nil
	}
	if t.audience, err = resolve.text("assertion", t.Assertion.Audience); err != nil {
		return err
	}
	if t.Assertion.Lifetime < 0 {
		return errors.New("token_auth: assertion: the lifetime is negative")
	}
	if t.Assertion.Lifetime == 0 {
		t.Assertion.Lifetime = caddy.Duration(core.DefaultAssertionLifetime)
	}
	if t.audience == "" {
		t.audience = t.realm.config.Audience
	}
	if err := core.CheckName(t.audience); err != nil {
		return fmt.Errorf("token_auth: assertion: audience: %w", err)
	}
	if t.realm.config.Algorithm == gate.HS256 {
		return errors.New("token_auth: assertion: algorithm HS256 has no public key to verify it with; use EdDSA, ES256 or RS256")
	}
	return nil
}

// assert adds the token for the upstream if one is configured.
func (t *TokenAuth) assert(live *liveRealm, r *http.Request, claims *gate.Claims) error {
	if t.Assertion == nil || claims == nil {
		return nil
	}
	assertion, err := live.Sessions.Assert(claims, t.audience, time.Duration(t.Assertion.Lifetime))
	if err != nil {
		return err
	}
	r.Header.Set(gate.HeaderAssertion, assertion)
	return nil
}

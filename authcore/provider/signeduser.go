package provider

import (
	"bytes"
	"context"
	"regexp"
	"slices"
)

// compactJWT matches the compact serialization of a JWS or JWE (RFC 7515, section
// 3.1; RFC 7516, section 3.1).
var compactJWT = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){2,4}$`)

func isCompactJWT(body []byte) bool { return compactJWT.Match(bytes.TrimSpace(body)) }

// readSignedUser verifies user info that is a signed JWT (OpenID Connect Core 1.0,
// section 5.3.2). Issuer and audience are optional; other values mean that the
// response is for another client.
func (p *provider) readSignedUser(ctx context.Context, md metadata, raw string) (object, error) {
	if !p.spec.openID() {
		return nil, failed("user info: the response is a JWT, and this kind has no keys; use an OpenID Connect kind")
	}
	check := &signatureCheck{keys: p.keys, algorithms: slices.Concat(md.algorithms, md.userInfoAlgorithms), urgent: true}
	payload, err := check.VerifySignature(ctx, raw)
	switch {
	case check.unavailable != nil:
		return nil, check.unavailable
	case err != nil:
		return nil, failed("user info: the response is a JWT whose format, algorithm or signature is not valid; encrypted responses are not supported")
	}
	user, ok := parseObject(payload)
	if !ok {
		return nil, failed("user info: the payload is not a JSON object")
	}
	if user.has("iss") && p.checkIssuer(user, check.keyIssuer) != nil {
		return nil, mismatch("user info: iss is not the configured issuer")
	}
	if audience, ok := user.texts("aud"); user.has("aud") && (!ok || !slices.Contains(audience, p.cfg.ClientID)) {
		return nil, mismatch("user info: aud does not contain client_id")
	}
	return user, nil
}

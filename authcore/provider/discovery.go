package provider

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// discoveryLifetime is the cache lifetime of a discovery document.
const discoveryLifetime = 24 * time.Hour

// metadata describes the protocol endpoints and capabilities of a provider.
type metadata struct {
	endpoints
	authStyle oauth2.AuthStyle
	// algorithms accepted for ID tokens.
	algorithms []jose.SignatureAlgorithm
	// userInfoAlgorithms are accepted in addition for user info.
	userInfoAlgorithms []jose.SignatureAlgorithm
	pkce               bool
}

// metadata returns the fixed or the discovered metadata.
func (p *provider) metadata(ctx context.Context) (metadata, error) {
	if p.spec.discovery && !p.isComplete() {
		md, _, err := p.discovery.get(ctx, 0)
		return md, err
	}
	md := metadata{
		endpoints:  p.fixed,
		authStyle:  p.spec.authStyle,
		algorithms: []jose.SignatureAlgorithm{jose.RS256},
		pkce:       p.spec.pkce,
	}
	if md.authStyle == oauth2.AuthStyleAutoDetect {
		md.authStyle = oauth2.AuthStyleInHeader
	}
	return md, nil
}

// isComplete reports whether all endpoints that a login requires are configured.
func (p *provider) isComplete() bool {
	return p.fixed.authorize != "" && p.fixed.token != "" && p.fixed.jwks != ""
}

// discover loads the discovery document (OpenID Connect Discovery 1.0, section 4).
func (p *provider) discover(ctx context.Context) (metadata, error) {
	address := strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration"
	body, err := p.download(ctx, "discovery", address)
	if err != nil {
		return metadata{}, err
	}
	return p.readDiscovery(body)
}

// download requests a published document of the provider.
func (p *provider) download(ctx context.Context, what, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, failed("%s: %w", what, errBadURL)
	}
	answer, err := send(p.http.fetch, what, request)
	if err != nil {
		return nil, err
	}
	return answer.body, answer.ok(what)
}

func (p *provider) readDiscovery(body []byte) (metadata, error) {
	document, ok := parseObject(body)
	if !ok {
		return metadata{}, failed("discovery: the response is not a JSON object")
	}
	// Section 4.3: a document of another issuer must not be used. Otherwise one
	// provider could pass on logins of another (RFC 9700, section 4.4).
	if issuer, ok := document.text("issuer"); !ok || issuer != p.issuer {
		return metadata{}, failed("discovery: the issuer in the document differs from the configured one; set issuer to the same text, including a trailing slash")
	}
	found, err := p.readEndpoints(document)
	if err != nil {
		return metadata{}, err
	}
	style := p.spec.authStyle
	if style == oauth2.AuthStyleAutoDetect {
		style, ok = readAuthStyle(document)
		if !ok {
			return metadata{}, failed("discovery: the token endpoint supports neither client_secret_basic nor client_secret_post")
		}
	}
	return metadata{
		endpoints:  found,
		authStyle:  style,
		algorithms: readAlgorithms(document),
		pkce:       p.spec.pkce && takesS256(document),

		userInfoAlgorithms: allowedAlgorithms(document, "userinfo_signing_alg_values_supported"),
	}, nil
}

func (p *provider) readEndpoints(document object) (endpoints, error) {
	found := p.fixed
	for _, member := range []struct {
		name     string
		endpoint *string
		needed   bool
	}{
		{"authorization_endpoint", &found.authorize, true},
		{"token_endpoint", &found.token, true},
		{"jwks_uri", &found.jwks, true},
		{"userinfo_endpoint", &found.userInfo, false},
	} {
		if *member.endpoint != "" {
			continue // configured
		}
		address, ok := document.text(member.name)
		if !ok || address == "" && member.needed {
			return endpoints{}, failed("discovery: %s is missing or not a string", member.name)
		}
		if address == "" {
			continue
		}
		if err := checkURL(address, p.cfg.AllowPrivate); err != nil {
			return endpoints{}, failed("discovery: %s: %w", member.name, err)
		}
		*member.endpoint = address
	}
	return found, nil
}

// readAuthStyle returns the client authentication method. Section 3: the default is
// client_secret_basic.
func readAuthStyle(document object) (oauth2.AuthStyle, bool) {
	methods, ok := document.texts("token_endpoint_auth_methods_supported")
	switch {
	case !ok, slices.Contains(methods, "client_secret_basic"):
		return oauth2.AuthStyleInHeader, true
	case slices.Contains(methods, "client_secret_post"):
		return oauth2.AuthStyleInParams, true
	default:
		return oauth2.AuthStyleAutoDetect, false
	}
}

// takesS256 reports whether the provider accepts an S256 challenge. If the document
// does not list methods, a challenge is sent: servers ignore unknown parameters
// (RFC 6749, section 3.1).
func takesS256(document object) bool {
	methods, ok := document.texts("code_challenge_methods_supported")
	return !ok || slices.Contains(methods, "S256")
}

// readAlgorithms returns RS256, which every provider must support, and the
// announced algorithms that are allowed. Only signatures with asymmetric keys are
// allowed: "none" and HMAC, which would use the public key as a secret, are not
// (RFC 8725, sections 2.1 and 3.1).
func readAlgorithms(document object) []jose.SignatureAlgorithm {
	return append([]jose.SignatureAlgorithm{jose.RS256}, allowedAlgorithms(document, "id_token_signing_alg_values_supported")...)
}

// allowedAlgorithms returns the allowed algorithms among those that a member announces.
func allowedAlgorithms(document object, member string) []jose.SignatureAlgorithm {
	var algorithms []jose.SignatureAlgorithm
	announced, _ := document.texts(member)
	for _, allowed := range []jose.SignatureAlgorithm{
		jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	} {
		if slices.Contains(announced, string(allowed)) {
			algorithms = append(algorithms, allowed)
		}
	}
	return algorithms
}

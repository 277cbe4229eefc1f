package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// redeem exchanges the code for tokens with exactly one request. A code can be used
// once (RFC 6749, section 4.1.2), and providers treat a second request as theft and
// revoke the tokens.
func (p *provider) redeem(ctx context.Context, md metadata, request authcore.ExchangeRequest) (*oauth2.Token, error) {
	if request.Code == "" {
		return nil, denied("the code is empty")
	}
	var options []oauth2.AuthCodeOption
	if md.pkce && request.Verifier != "" {
		options = append(options, oauth2.VerifierOption(request.Verifier))
	}
	if p.spec.exchangeParams != nil {
		params, err := p.spec.exchangeParams(request)
		if err != nil {
			return nil, err
		}
		for name, value := range params {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	config := p.oauth2(md, request.RedirectURI)
	if p.spec.secret != nil {
		secret, err := p.spec.secret(p)
		if err != nil {
			return nil, err
		}
		config.ClientSecret = secret
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.http.redeem)
	token, err := config.Exchange(ctx, request.Code, options...)
	if err != nil {
		return nil, p.tokenFault(err)
	}
	if token.TokenType != "" && !strings.EqualFold(token.TokenType, "bearer") {
		return nil, failed("token request: token_type is not Bearer")
	}
	return token, nil
}

// tokenFault maps an error of the token request. It keeps only the status and known
// error codes of the response: the body may repeat the code, the secret or an
// address.
func (p *provider) tokenFault(err error) error {
	const what = "token request"
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		var request *url.Error
		if errors.As(err, &request) {
			return transportFault(what, err)
		}
		return failed("%s: the response is not a token response", what)
	}
	status := refusal.Response.StatusCode
	code := refusal.ErrorCode
	if status >= http.StatusInternalServerError {
		return failed("%s: status %d", what, status)
	}
	if isDenial(code) {
		return denied("%s: status %d, %s", what, status, code)
	}
	if p.spec.refuses != nil {
		if answer, ok := parseObject(refusal.Body); ok && p.spec.refuses(answer) {
			return denied("%s: status %d, provider-specific error", what, status)
		}
	}
	switch {
	case isClientFault(code):
		return failed("%s: status %d, %s: %w", what, status, code, ErrClient)
	case !isFault(code):
		code = "unknown error code"
	}
	if status == http.StatusOK || status == http.StatusBadRequest {
		return failed("%s: status %d, %s: %w", what, status, code, errRequest)
	}
	return failed("%s: status %d, %s", what, status, code)
}

// ErrClient is wrapped by errors of Exchange and Check if the provider rejects the
// client. The operator must correct the configuration.
var ErrClient = errors.New("the provider rejects client_id and client_secret")

var errRequest = errors.New("the provider rejects the request")

// isDenial lists the errors about this code or this user: another login may
// succeed.
func isDenial(code string) bool {
	switch code {
	case "invalid_grant", // RFC 6749, section 5.2
		"access_denied",                                              // RFC 6749, section 4.1.2.1
		"login_required", "consent_required", "interaction_required", // OpenID Connect Core 1.0, section 3.1.2.6
		"account_selection_required",
		"bad_verification_code", "unverified_user_email", // GitHub
		"admin_policy_enforced", "org_internal": // Google
		return true
	default:
		return false
	}
}

// isFault lists the errors about the request or the provider: no login succeeds
// until the operator or the provider corrects it.
func isFault(code string) bool {
	switch code {
	case "invalid_request", "unsupported_grant_type", "invalid_scope", // RFC 6749, section 5.2
		"server_error", "temporarily_unavailable", // RFC 6749, section 4.1.2.1
		"redirect_uri_mismatch": // GitHub, Google
		return true
	default:
		return false
	}
}

// isClientFault lists the errors about the client and its secret.
func isClientFault(code string) bool {
	switch code {
	case "invalid_client", "unauthorized_client", // RFC 6749, section 5.2
		"incorrect_client_credentials", "application_suspended", // GitHub
		"deleted_client", "disabled_client", // Google
		"invalid_client_id", "bad_client_secret": // Slack
		return true
	default:
		return false
	}
}

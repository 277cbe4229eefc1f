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

// redeem exchanges the code for tokens, with exactly one request: a code is
// good for one (RFC 6749, section 4.1.2), and providers take a second one for
// theft and revoke what they gave for the first.
func (p *provider) redeem(ctx context.Context, md metadata, request authcore.ExchangeRequest) (*oauth2.Token, error) {
	if request.Code == "" {
		return nil, denied("the code is empty")
	}
	var options []oauth2.AuthCodeOption
	if md.pkce && request.Verifier != "" {
		options = append(options, oauth2.VerifierOption(request.Verifier))
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.http.redeem)
	token, err := p.oauth2(md, request.RedirectURI).Exchange(ctx, request.Code, options...)
	if err != nil {
		return nil, tokenFault(err)
	}
	if token.TokenType != "" && !strings.EqualFold(token.TokenType, "bearer") {
		return nil, failed("token request: the token type is not Bearer")
	}
	return token, nil
}

// tokenFault turns an error of the token request into one of ours. Nothing is
// taken over from the answer but its status and a code that is listed here: an
// error's body may repeat the code, the secret or an address.
func tokenFault(err error) error {
	const what = "token request"
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		var request *url.Error
		if errors.As(err, &request) {
			return transportFault(what, err)
		}
		return failed("%s: the answer is no token response", what)
	}
	status := refusal.Response.StatusCode
	code := refusal.ErrorCode
	if status >= http.StatusInternalServerError {
		return failed("%s: status %d", what, status)
	}
	if isDenial(code) {
		return denied("%s: status %d, %s", what, status, code)
	}
	if !isFault(code) {
		code = "no known error code"
	}
	return failed("%s: status %d, %s", what, status, code)
}

// isDenial lists the errors that are about this code or this person: another
// login may succeed.
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

// isFault lists the errors that are about the configuration or the provider: no
// login will succeed until somebody acts.
func isFault(code string) bool {
	switch code {
	case "invalid_request", "invalid_client", "unauthorized_client",
		"unsupported_grant_type", "invalid_scope", // RFC 6749, section 5.2
		"server_error", "temporarily_unavailable", // RFC 6749, section 4.1.2.1
		"incorrect_client_credentials", "redirect_uri_mismatch", "application_suspended", // GitHub
		"deleted_client", "disabled_client": // Google
		return true
	default:
		return false
	}
}

package provider

import (
	"errors"
	"net/http"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// tokenFault maps an error response of the token endpoint. It keeps only the status
// and known error codes: the rest may repeat the code, the secret or an address.
func (p *provider) tokenFault(status int, answer object) error {
	const what = tokenWhat
	code := strings.TrimSpace(answer.display("error"))
	if p.spec.configFault != nil {
		if fault := p.spec.configFault(answer); fault != nil {
			return failed("%s: status %d, provider-specific error: %w", what, status, fault)
		}
	}
	if status >= http.StatusInternalServerError {
		return failed("%s: status %d", what, status)
	}
	if isDenial(code) {
		return denied("%s: status %d, %s", what, status, code)
	}
	if isRedirectFault(code, answer) {
		return failed("%s: status %d, %s: %w: %w", what, status, "redirect_uri_mismatch", authcore.ErrProviderRedirectURI, errRequest)
	}
	if p.spec.refuses != nil && p.spec.refuses(answer) {
		return denied("%s: status %d, provider-specific error", what, status)
	}
	switch {
	case isClientFault(code):
		return failed("%s: status %d, %s: %w: %w", what, status, code, ErrClient, authcore.ErrProviderMisconfigured)
	case code == "invalid_scope", code == "unsupported_grant_type":
		return failed("%s: status %d, %s: %w: %w", what, status, code, errRequest, authcore.ErrProviderMisconfigured)
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

// isRedirectFault reports whether the redirect URI is not registered at the
// provider. Servers without a code of their own name the parameter in the
// description.
func isRedirectFault(code string, answer object) bool {
	switch code {
	case "redirect_uri_mismatch", // GitHub, Google
		"bad_redirect_uri",     // Slack
		"invalid_redirect_uri": // RFC 7591, section 3.2.2; LinkedIn
		return true
	case "invalid_request":
		return strings.Contains(answer.display("error_description"), "redirect_uri")
	default:
		return false
	}
}

// isFault lists the errors about the request or the provider: no login succeeds
// until the operator or the provider corrects it.
func isFault(code string) bool {
	switch code {
	case "invalid_request", // RFC 6749, section 5.2
		"server_error", "temporarily_unavailable": // RFC 6749, section 4.1.2.1
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

package login

import (
	"context"

	"github.com/edgeauth/edgeauth/authcore/session"
)

// API is the signature of a Service while it is written.
type API interface {
	RequestLink(context.Context, LinkRequest) (LinkReceipt, error)
	ByLink(context.Context, LinkLogin) (session.Grant, error)
	ByCode(context.Context, CodeLogin) (session.Grant, error)
	Authorize(context.Context, AuthorizeStart) (Authorization, error)
	Social(context.Context, SocialLogin) (session.Grant, error)
	FormPost(context.Context, Callback) (string, error)
	Providers(ctx context.Context, clientKey string) ([]ProviderInfo, error)
}

// ValidateAPIURL(apiURL string, providers map[string]authcore.Provider) []error

package provider

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// microsoftGraph describes Microsoft accounts through Microsoft Graph
// (https://learn.microsoft.com/graph/api/user-get). azuread-oauth2 is the better
// choice: it returns tenants and can verify an address.
//
// The address is "mail", which any tenant's administrator can set to any value, so
// it is never verified. The user principal name is used as a nickname and never as
// an address.
func microsoftGraph() spec {
	return spec{
		kind: "microsoft-graph",
		public: endpoints{
			authorize: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
			token:     "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
			userInfo:  "https://graph.microsoft.com/v1.0/me",
		},
		scopes:    []string{"User.Read"},
		authStyle: oauth2.AuthStyleInParams,
		pkce:      true,
		options:   []string{"tenant"},
		oneTenant: true,
		profile:   graphProfile,

		configFault: microsoftConfigFault,
	}
}

func graphProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, id, err := g.fetchAccount(ctx, "id", nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	return userFields{
		email: "mail", first: "givenName", last: "surname", full: "displayName", nickname: "userPrincipalName",
	}.profile(user, id), nil
}

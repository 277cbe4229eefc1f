package authcore

import "testing"

func TestProviderTitle(t *testing.T) {
	for name, want := range map[string]string{
		"google-oauth2": "Google", "google": "Google", "github": "GitHub", "gitlab": "GitLab", "facebook": "Facebook", "apple-id": "Apple",
		"microsoft-graph": "Microsoft", "azuread-oauth2": "Microsoft", "azuread-tenant-oauth2": "Microsoft",
		"azuread-v2-tenant-oauth2": "Microsoft", "linkedin-openidconnect": "LinkedIn", "linkedin-oauth2": "LinkedIn",
		"twitter-oauth2": "X", "vk-oauth2": "VK", "vk": "VK", "vk-id": "VK ID", "mailru-oauth2": "Mail.ru", "mailru": "Mail.ru",
		"yandex-oauth2": "Yandex", "bitbucket-oauth2": "Bitbucket", "okta-openidconnect": "Okta", "okta-oauth2": "Okta", "auth0": "Auth0",
		"keycloak": "Keycloak", "corp-oidc": "Corp", "4chan": "4chan", "-oauth2": "-oauth2", "": "",
	} {
		if got := ProviderTitle(name); got != want {
			t.Errorf("ProviderTitle(%q) = %q, want %q", name, got, want)
		}
	}
}

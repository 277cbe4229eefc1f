package authcore

import "strings"

// ProviderTitle returns the name of a provider for people, from its name in the
// configuration: "LinkedIn" for "linkedin-openidconnect".
func ProviderTitle(name string) string {
	known := map[string]string{
		"azuread": "Microsoft", "github": "GitHub", "gitlab": "GitLab", "linkedin": "LinkedIn", "mailru": "Mail.ru", "twitter": "X",
		"vk": "VK", "vk-id": "VK ID",
	}
	short := name
	for _, suffix := range []string{"", "-oauth2", "-openidconnect", "-id", "-graph", "-oidc", "-tenant", "-v2"} {
		short = strings.TrimSuffix(short, suffix)
		if title, found := known[short]; found {
			return title
		}
	}
	if short == "" || short[0] < 'a' || short[0] > 'z' {
		return name
	}
	return strings.ToUpper(short[:1]) + short[1:]
}

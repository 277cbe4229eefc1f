package provider

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// linkedInLegacy describes LinkedIn's older API, for applications that were granted
// the product Sign In with LinkedIn before August 2023
// (https://learn.microsoft.com/linkedin/shared/integrations/people/profile-api). It
// does not report whether the address is verified. The token request sends
// everything in the body: LinkedIn's documentation forbids the secret in a URL,
// where python-social-auth puts it.
func linkedInLegacy() spec {
	return spec{
		kind: "linkedin-oauth2",
		public: endpoints{
			authorize: "https://www.linkedin.com/oauth/v2/authorization",
			token:     "https://www.linkedin.com/oauth/v2/accessToken",
			userInfo:  "https://api.linkedin.com/v2/me",
		},
		scopes:    []string{"r_liteprofile", "r_emailaddress"},
		authStyle: oauth2.AuthStyleInParams,
		refuses:   refusesInvalidRequest,
		profile:   linkedInLegacyProfile,
	}
}

func linkedInLegacyProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, id, err := g.fetchAccount(ctx, "id", url.Values{"projection": {"(id,firstName,lastName)"}}, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	email, err := linkedInLegacyEmail(ctx, g)
	if err != nil {
		return authcore.Profile{}, err
	}
	return authcore.Profile{
		Subject:   id,
		Email:     email,
		FirstName: readLocalized(user["firstName"]),
		LastName:  readLocalized(user["lastName"]),
	}, nil
}

// readLocalized reads the preferred translation of a name:
// {"localized":{"en_US":"Ada"},"preferredLocale":{…}}.
func readLocalized(raw json.RawMessage) string {
	field, _ := parseObject(raw)
	names, _ := parseObject(field["localized"])
	preferred, _ := parseObject(field["preferredLocale"])
	return names.display(preferred.display("language") + "_" + preferred.display("country"))
}

// linkedInLegacyEmail requests {"elements":[{"handle~":{"emailAddress":"…"}}]}.
func linkedInLegacyEmail(ctx context.Context, g *grant) (string, error) {
	const what = "user e-mail"
	address, err := withQuery(strings.TrimSuffix(g.metadata.userInfo, "/me")+"/emailAddress",
		url.Values{"q": {"members"}, "projection": {"(elements*(handle~))"}})
	if err != nil {
		return "", err
	}
	body, err := g.fetchEmails(ctx, what, address, nil)
	if err != nil || body == nil {
		return "", err
	}
	outer, ok := parseObject(body)
	var elements []object
	if !ok || json.Unmarshal(outer["elements"], &elements) != nil {
		return "", failed("%s: elements is not a list of objects", what)
	}
	for _, element := range elements {
		handle, _ := parseObject(element["handle~"])
		if email := handle.display("emailAddress"); email != "" {
			return email, nil
		}
	}
	return "", nil
}

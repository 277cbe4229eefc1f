package provider

import (
	"context"
	"encoding/json"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// bitbucketPageSize is Bitbucket's maximum. One page holds the addresses of any
// real account.
const bitbucketPageSize = "100"

// bitbucket describes Bitbucket Cloud
// (https://developer.atlassian.com/cloud/bitbucket/oauth-2/).
//
// The subject is the uuid including its braces: names can be changed and
// reassigned. The address is the primary one and verified if it is confirmed.
func bitbucket() spec {
	return spec{
		kind: "bitbucket-oauth2",
		public: endpoints{
			authorize: "https://bitbucket.org/site/oauth2/authorize",
			token:     "https://bitbucket.org/site/oauth2/access_token",
			userInfo:  "https://api.bitbucket.org/2.0/user",
		},
		scopes:    []string{"account", "email"},
		authStyle: oauth2.AuthStyleInHeader,
		profile:   bitbucketProfile,
	}
}

func bitbucketProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, id, err := g.fetchAccount(ctx, "uuid", nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	links, _ := parseObject(user["links"])
	avatar, _ := parseObject(links["avatar"])
	profile := userFields{full: "display_name", nickname: "nickname"}.profile(user, id)
	profile.AvatarURL = avatar.display("href")
	profile.Email, profile.EmailVerified, err = bitbucketEmail(ctx, g)
	return profile, err
}

func bitbucketEmail(ctx context.Context, g *grant) (email string, verified bool, err error) {
	const what = "user e-mails"
	address, err := withQuery(g.metadata.userInfo+"/emails", url.Values{"pagelen": {bitbucketPageSize}})
	if err != nil {
		return "", false, err
	}
	body, err := g.fetchEmails(ctx, what, address, nil)
	if err != nil || body == nil {
		return "", false, err
	}
	page, ok := parseObject(body)
	var list []object
	if !ok || json.Unmarshal(page["values"], &list) != nil {
		return "", false, failed("%s: values is not a list of objects", what)
	}
	for _, entry := range list {
		if entry.isTrue("is_primary") {
			email, ok := entry.text("email")
			if !ok {
				return "", false, failed("%s: an address is not a string", what)
			}
			return email, entry.isTrue("is_confirmed"), nil
		}
	}
	return "", false, nil
}

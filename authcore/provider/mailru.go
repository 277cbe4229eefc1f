package provider

import (
	"context"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// mailRu is OAuth Mail (https://api.mail.ru/docs/guides/oauth/). It wants the
// access token in the query. The subject is "id"; python-social-auth uses the
// address, which Mail.ru gives to somebody else when its owner is gone. Nothing
// says whether an address that is not of Mail.ru itself is verified.
func mailRu() spec {
	return spec{
		kind: "mailru",
		public: endpoints{
			authorize: "https://oauth.mail.ru/login",
			token:     "https://oauth.mail.ru/token",
			userInfo:  "https://oauth.mail.ru/userinfo",
		},
		scopes:    []string{"userinfo"},
		authStyle: oauth2.AuthStyleInHeader,
		pkce:      true,
		refuses:   refusesInvalidRequest,
		profile:   mailRuProfile,
	}
}

func mailRuProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, err := g.fetchUser(ctx, url.Values{"access_token": {g.token.AccessToken}}, inQuery())
	if err != nil {
		return authcore.Profile{}, err
	}
	if user.has("error") { // with status 200
		return authcore.Profile{}, failed("user info: is an error")
	}
	id, ok := user.idText("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is no string")
	}
	profile := authcore.Profile{
		Subject:   id,
		Email:     user.display("email"),
		FirstName: user.display("first_name"),
		LastName:  user.display("last_name"),
		Nickname:  user.display("nickname"),
		AvatarURL: user.display("image"),
	}
	if !hasName(profile) {
		profile.FirstName, profile.LastName = splitName(user.display("name"))
	}
	return profile, nil
}

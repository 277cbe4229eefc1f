package provider

import (
	"context"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// mailRu describes OAuth Mail (https://api.mail.ru/docs/guides/oauth/). It requires
// the access token in the query. The subject is "id"; python-social-auth uses the
// address, which Mail.ru reassigns after its owner has left. It does not report
// whether an address outside Mail.ru is verified.
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
	user, err := g.fetchUser(ctx, url.Values{"access_token": {g.token.access}}, inQuery())
	if err != nil {
		return authcore.Profile{}, err
	}
	if user.has("error") { // the status is 200
		return authcore.Profile{}, failed("user info: the response is an error")
	}
	id, ok := user.idText("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is not a string")
	}
	return userFields{
		email: "email", first: "first_name", last: "last_name", full: "name", nickname: "nickname", avatar: "image",
	}.profile(user, id), nil
}

package provider

import (
	"context"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// yandex describes Yandex ID (https://yandex.com/dev/id/doc/en/). The permissions
// of an application are part of its registration, so no scope is sent. Yandex does
// not report whether the address is verified. The access token is sent with the
// scheme OAuth.
func yandex() spec {
	return spec{
		kind: "yandex-oauth2",
		public: endpoints{
			authorize: "https://oauth.yandex.com/authorize",
			token:     "https://oauth.yandex.com/token",
			userInfo:  "https://login.yandex.ru/info",
		},
		authStyle: oauth2.AuthStyleInParams,
		pkce:      true,
		profile:   yandexProfile,
	}
}

func yandexProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, id, err := g.fetchAccount(ctx, "id", url.Values{"format": {"json"}},
		http.Header{"Authorization": {"OAuth " + g.token.access}})
	if err != nil {
		return authcore.Profile{}, err
	}
	profile := userFields{
		email: "default_email", first: "first_name", last: "last_name", full: "real_name", nickname: "login",
	}.profile(user, id)
	if all, ok := user.texts("emails"); ok && len(all) > 0 && profile.Email == "" {
		profile.Email = all[0]
	}
	if avatar := user.display("default_avatar_id"); avatar != "" && !user.isTrue("is_avatar_empty") {
		profile.AvatarURL = "https://avatars.yandex.net/get-yapic/" + avatar + "/islands-200"
	}
	return profile, nil
}

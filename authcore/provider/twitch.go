package provider

import (
	"context"
	"encoding/json"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// twitch is Twitch (https://dev.twitch.tv/docs/authentication/). Its user info
// wants the client id as well. It gives an address only when that is verified,
// says the reference of Get Users; by OpenID Connect "email_verified" says so.
func twitch() spec {
	return spec{
		kind: "twitch",
		public: endpoints{
			authorize: "https://id.twitch.tv/oauth2/authorize",
			token:     "https://id.twitch.tv/oauth2/token",
			userInfo:  "https://api.twitch.tv/helix/users",
		},
		scopes:    []string{"user:read:email"},
		authStyle: oauth2.AuthStyleInParams,
		refuses:   twitchRefuses,
		profile:   twitchProfile,

		openIDMode: twitchOpenID,
	}
}

// twitchOpenID is Twitch as an OpenID provider
// (https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/). "sub" is the
// id that Get Users has. The ID token holds what is asked for by name, so that
// the user info, which holds the same, is not needed.
func twitchOpenID(s spec) spec {
	s.issuer = "https://id.twitch.tv/oauth2"
	s.public.userInfo, s.public.jwks = "", "https://id.twitch.tv/oauth2/keys"
	s.nonce = true
	s.authorizeParams = func(*provider) map[string]string {
		return map[string]string{
			"claims": `{"id_token":{"email":null,"email_verified":null,"picture":null,"preferred_username":null}}`,
		}
	}
	s.profile = twitchClaims
	return s
}

// twitchClaims has the name that is displayed from "preferred_username"; the name
// that somebody logs in with is not among the claims.
func twitchClaims(_ context.Context, g *grant) (authcore.Profile, error) {
	profile, err := readClaims(g.claims)
	profile.FirstName, profile.LastName = splitName(profile.Nickname)
	return profile, err
}

// twitchRefuses reads {"status":400,"message":"Invalid authorization code"}.
func twitchRefuses(answer object) bool {
	return answer.display("message") == "Invalid authorization code"
}

func twitchProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	outer, err := g.fetchUser(ctx, nil, http.Header{"Client-Id": {g.provider.clientID}})
	if err != nil {
		return authcore.Profile{}, err
	}
	var list []object
	if json.Unmarshal(outer["data"], &list) != nil || len(list) != 1 {
		return authcore.Profile{}, failed("user info: data is no list of one JSON object")
	}
	user := list[0]
	id, ok := user.text("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is no string")
	}
	first, last := splitName(user.display("display_name"))
	email := user.display("email")
	return authcore.Profile{
		Subject:       id,
		Email:         email,
		EmailVerified: email != "",
		FirstName:     first,
		LastName:      last,
		Nickname:      user.display("login"),
		AvatarURL:     user.display("profile_image_url"),
	}, nil
}

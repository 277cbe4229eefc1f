package provider

import (
	"context"
	"encoding/json"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// twitch describes Twitch (https://dev.twitch.tv/docs/authentication/). Its user
// info also requires the client id. According to the reference of Get Users it
// returns verified addresses only; with OpenID Connect "email_verified" confirms
// this.
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

// twitchOpenID describes Twitch as an OpenID provider
// (https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/). "sub" is the id
// of Get Users. The ID token contains all requested claims, so that the user info
// is not needed.
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

// twitchClaims takes the display name from "preferred_username"; the login name is
// not among the claims.
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
	outer, err := g.fetchUser(ctx, nil, http.Header{"Client-Id": {g.provider.cfg.ClientID}})
	if err != nil {
		return authcore.Profile{}, err
	}
	var list []object
	if json.Unmarshal(outer["data"], &list) != nil || len(list) != 1 {
		return authcore.Profile{}, failed("user info: data is not a list of one object")
	}
	user := list[0]
	id, ok := user.text("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is not a string")
	}
	profile := userFields{email: "email", full: "display_name", nickname: "login", avatar: "profile_image_url"}.profile(user, id)
	profile.EmailVerified = profile.Email != ""
	return profile, nil
}

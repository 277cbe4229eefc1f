package provider

import (
	"context"
	"encoding/json"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// vkVersion is the API version whose responses this file parses.
const vkVersion = "5.131"

// vk describes the older OAuth of VK, for applications that were registered before
// VK ID
// (https://id.vk.com/about/business/go/docs/ru/vkid/latest/oauth-vkontakte/authcode-flow-user).
//
// The token response contains the address, but not whether it is verified. The API
// returns errors with status 200.
func vk() spec {
	return spec{
		kind: "vk-oauth2",
		public: endpoints{
			authorize: "https://oauth.vk.ru/authorize",
			token:     "https://oauth.vk.ru/access_token",
			userInfo:  "https://api.vk.ru/method/users.get",
		},
		scopes:         []string{"email"},
		scopeSeparator: ",",
		authStyle:      oauth2.AuthStyleInParams,
		profile:        vkProfile,
	}
}

func vkProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	outer, err := g.fetchUser(ctx, url.Values{
		"fields": {"screen_name,photo_200"},
		"v":      {vkVersion},
	}, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	if fault, isFault := parseObject(outer["error"]); isFault {
		if code, _ := fault.integer("error_code"); code == "5" { // the access token was revoked
			return authcore.Profile{}, denied("user info: the access token is no longer valid")
		}
		return authcore.Profile{}, failed("user info: the response is an error")
	}
	profile, err := readVKUser(outer["response"])
	profile.Email = g.token.members.display("email")
	return profile, err
}

// readVKUser parses [{"id":210700286,"first_name":"Lindsey",…}].
func readVKUser(raw json.RawMessage) (authcore.Profile, error) {
	var list []object
	if json.Unmarshal(raw, &list) != nil || len(list) != 1 {
		return authcore.Profile{}, failed("user info: response is not a list of one object")
	}
	user := list[0]
	id, ok := user.integer("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is not a positive integer")
	}
	return userFields{first: "first_name", last: "last_name", nickname: "screen_name", avatar: "photo_200"}.profile(user, id), nil
}

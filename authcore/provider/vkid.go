package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// vkID describes VK ID, the only login that VK offers to new applications
// (https://id.vk.com/about/business/go/docs/ru/vkid/latest/vk-id/connection/api-integration/api-description).
//
// It has no client secret: only PKCE protects the code. The authorization response
// contains a device id, which the token request must repeat together with a state,
// which may be any text. The user info request carries the access token in the
// body. VK does not report whether the address is verified: "verified" refers to
// the account.
func vkID() spec {
	return spec{
		kind: "vk-id",
		public: endpoints{
			authorize: "https://id.vk.ru/authorize",
			token:     "https://id.vk.ru/oauth2/auth",
			userInfo:  "https://id.vk.ru/oauth2/user_info",
		},
		scopes:         []string{"vkid.personal_info", "email"},
		authStyle:      oauth2.AuthStyleInParams,
		noSecret:       true,
		pkce:           true,
		exchangeParams: vkDevice,
		refuses:        refusesInvalidRequest,
		profile:        vkIDProfile,
	}
}

func vkDevice(request authcore.ExchangeRequest) (map[string]string, error) {
	if request.Device == "" {
		return nil, denied("the device_id of the authorization response is missing")
	}
	state := sha256.Sum256([]byte(request.Code))
	return map[string]string{"device_id": request.Device, "state": hex.EncodeToString(state[:])}, nil
}

func vkIDProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	const what = "user info"
	answer, err := g.post(ctx, what, g.metadata.userInfo, url.Values{
		"access_token": {g.token.access},
		"client_id":    {g.provider.cfg.ClientID},
	})
	if err != nil {
		return authcore.Profile{}, err
	}
	outer, ok := parseObject(answer.body)
	if ok && outer.display("error") == "invalid_token" {
		return authcore.Profile{}, denied("%s: the access token is no longer valid", what)
	}
	if err := answer.ok(what); err != nil {
		return authcore.Profile{}, err
	}
	user, ok := parseObject(outer["user"])
	if !ok {
		return authcore.Profile{}, failed("%s: user is not a JSON object", what)
	}
	id, ok := user.idText("user_id")
	if !ok {
		return authcore.Profile{}, failed("%s: user_id is not a valid id", what)
	}
	return userFields{email: "email", first: "first_name", last: "last_name", avatar: "avatar"}.profile(user, id), nil
}

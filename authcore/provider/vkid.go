package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// vkID is VK ID, the only one that VK gives to new applications
// (https://id.vk.com/about/business/go/docs/ru/vkid/latest/vk-id/connection/api-integration/api-description).
//
// It has no client secret: PKCE alone proves whose code it is. It sends people
// back with a device id, which the token request has to repeat, beside a state,
// which may be any text. The user info is asked for with the access token in the
// body. Nothing says whether the address is verified: "verified" in the answer is
// about the account.
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
		return nil, denied("the device_id with which the person came back is missing")
	}
	state := sha256.Sum256([]byte(request.Code))
	return map[string]string{"device_id": request.Device, "state": hex.EncodeToString(state[:])}, nil
}

func vkIDProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	const what = "user info"
	answer, err := g.post(ctx, what, g.metadata.userInfo, url.Values{
		"access_token": {g.token.AccessToken},
		"client_id":    {g.provider.clientID},
	})
	if err != nil {
		return authcore.Profile{}, err
	}
	outer, ok := parseObject(answer.body)
	if ok && outer.display("error") == "invalid_token" {
		return authcore.Profile{}, denied("%s: the access token is not valid any more", what)
	}
	if err := answer.ok(what); err != nil {
		return authcore.Profile{}, err
	}
	user, ok := parseObject(outer["user"])
	if !ok {
		return authcore.Profile{}, failed("%s: user is no JSON object", what)
	}
	id, ok := user.idText("user_id")
	if !ok {
		return authcore.Profile{}, failed("%s: user_id is no id", what)
	}
	return authcore.Profile{
		Subject:   id,
		Email:     user.display("email"),
		FirstName: user.display("first_name"),
		LastName:  user.display("last_name"),
		AvatarURL: user.display("avatar"),
	}, nil
}

package provider

import (
	"context"
	"crypto/md5" //nolint:gosec // G501: required by the provider's signature
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// mailRuLegacy describes the older platform of Mail.ru
// (https://api.mail.ru/docs/guides/restapi/). Requests are signed, and texts in
// responses are percent-encoded. It does not report whether the address is
// verified.
func mailRuLegacy() spec {
	return spec{
		kind: "mailru-oauth2",
		public: endpoints{
			authorize: "https://connect.mail.ru/oauth/authorize",
			token:     "https://connect.mail.ru/oauth/token",
			userInfo:  "https://www.appsmail.ru/platform/api",
		},
		authStyle: oauth2.AuthStyleInParams,
		refuses:   refusesInvalidRequest,
		profile:   mailRuLegacyProfile,
	}
}

func mailRuLegacyProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	const what = "user info"
	query := url.Values{
		"method":      {"users.getInfo"},
		"app_id":      {g.provider.cfg.ClientID},
		"session_key": {g.token.access},
		"secure":      {"1"},
	}
	query.Set("sig", signMailRu(query, g.provider.cfg.ClientSecret))
	address, err := withQuery(g.metadata.userInfo, query)
	if err != nil {
		return authcore.Profile{}, err
	}
	answer, err := g.get(ctx, what, address, inQuery())
	if err != nil {
		return authcore.Profile{}, err
	}
	if refusal, isObject := parseObject(answer.body); isObject {
		fault, _ := parseObject(refusal["error"])
		if code, _ := fault.integer("error_code"); code == "102" { // the session key is no longer valid
			return authcore.Profile{}, denied("%s: the access token is no longer valid", what)
		}
	}
	if err := answer.ok(what); err != nil {
		return authcore.Profile{}, err
	}
	return readMailRuUser(answer.body)
}

// signMailRu signs parameters, sorted by name, with the client secret. No security
// property depends on it.
func signMailRu(query url.Values, secret string) string {
	var pairs []string
	for name := range query {
		pairs = append(pairs, name+"="+query.Get(name))
	}
	slices.Sort(pairs)
	sum := md5.Sum([]byte(strings.Join(pairs, "") + secret)) //nolint:gosec // G401: required by the provider
	return hex.EncodeToString(sum[:])
}

// readMailRuUser parses [{"uid":"15410773191172635989",…}].
func readMailRuUser(body []byte) (authcore.Profile, error) {
	var list []object
	if err := json.Unmarshal(body, &list); err != nil || len(list) == 0 {
		return authcore.Profile{}, failed("user info: the response is not a list of objects")
	}
	user := list[0]
	id, ok := user.idText("uid")
	if !ok {
		return authcore.Profile{}, failed("user info: uid is not a valid id")
	}
	decoded := func(name string) string {
		text, err := url.PathUnescape(user.display(name))
		if err != nil {
			return ""
		}
		return text
	}
	return authcore.Profile{
		Subject:   id,
		Email:     decoded("email"),
		FirstName: decoded("first_name"),
		LastName:  decoded("last_name"),
		Nickname:  decoded("nick"),
		AvatarURL: decoded("pic_big"),
	}, nil
}

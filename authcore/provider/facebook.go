package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// facebook describes Facebook Login
// (https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow)
// and the ID tokens of Limited Login
// (https://developers.facebook.com/docs/facebook-login/limited-login/token/validating).
//
// The subject is the app-scoped user id, the same in both. Facebook does not verify
// addresses. Requests carry appsecret_proof, so that a stolen access token alone is
// not usable. The code is redeemed by POST: the documented GET would put the client
// secret into a URL.
func facebook() spec {
	return spec{
		kind:   "facebook",
		issuer: "https://www.facebook.com",
		public: endpoints{
			authorize: "https://www.facebook.com/v24.0/dialog/oauth",
			token:     "https://graph.facebook.com/v24.0/oauth/access_token",
			userInfo:  "https://graph.facebook.com/v24.0/me",
			jwks:      "https://limited.facebook.com/.well-known/oauth/openid/jwks/",
		},
		scopes:         []string{"public_profile", "email"},
		scopeSeparator: ",",
		authStyle:      oauth2.AuthStyleInParams,
		appTokens:      true,
		appTokensOnly:  true,
		options:        []string{"audience", "jwks_url"},
		refuses:        facebookRefuses,
		configFault:    facebookConfigFault,
		profile:        facebookProfile,
	}
}

// facebookRefuses reads {"error":{"code":100,"error_subcode":36009}}
// (https://developers.facebook.com/docs/graph-api/guides/error-handling).
func facebookRefuses(answer object) bool {
	fault, _ := parseObject(answer["error"])
	code, _ := fault.integer("code")
	switch code {
	case "190": // the access token is no longer valid
		return true
	case "100": // an invalid parameter
		switch subcode, _ := fault.integer("error_subcode"); subcode {
		case "36007", // the code has expired
			"36008", // the redirect URI differs from that of the code
			"36009": // the code was used
			return true
		}
		return false
	default:
		return false
	}
}

// facebookConfigFault reads the errors about the app and its redirect URIs.
func facebookConfigFault(answer object) error {
	fault, _ := parseObject(answer["error"])
	code, _ := fault.integer("code")
	switch code {
	case "191": // the domain of the redirect URI is not registered
		return authcore.ErrProviderRedirectURI
	case "101": // the app id is unknown
		return authcore.ErrProviderMisconfigured
	default:
		return nil
	}
}

func facebookProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	if g.claims != nil { // Limited Login
		profile, err := readClaims(g.claims)
		profile.EmailVerified = false
		return profile, err
	}
	proof := hmac.New(sha256.New, []byte(g.provider.cfg.ClientSecret))
	proof.Write([]byte(g.token.access))
	address, err := withQuery(g.metadata.userInfo, url.Values{
		"fields":          {"id,name,first_name,last_name,email,picture.type(large)"},
		"appsecret_proof": {hex.EncodeToString(proof.Sum(nil))},
	})
	if err != nil {
		return authcore.Profile{}, err
	}
	answer, err := g.get(ctx, "user info", address, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	user, ok := parseObject(answer.body) // "false" is not an object
	if ok && facebookRefuses(user) {
		return authcore.Profile{}, denied("user info: status %d, the access token is no longer valid", answer.status)
	}
	if err := answer.ok("user info"); err != nil {
		return authcore.Profile{}, err
	}
	if !ok {
		return authcore.Profile{}, failed("user info: the response is not a JSON object")
	}
	return readFacebookUser(user)
}

func readFacebookUser(user object) (authcore.Profile, error) {
	id, ok := user.text("id")
	if !ok {
		return authcore.Profile{}, failed("user info: id is not a string")
	}
	outer, _ := parseObject(user["picture"])
	picture, _ := parseObject(outer["data"])
	profile := userFields{email: "email", first: "first_name", last: "last_name", full: "name"}.profile(user, id)
	profile.AvatarURL = picture.display("url")
	return profile, nil
}

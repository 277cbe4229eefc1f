package provider

import (
	"context"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// wrapped is a kind that combines features: scopes joined by commas, a Basic
// header, no PKCE, parameters in the authorize URL, and a nested user object.
func wrapped() spec {
	return spec{
		kind: "wrapped",
		public: endpoints{
			authorize: "https://wrapped.example/dialog?display=page",
			token:     "https://wrapped.example/token",
			userInfo:  "https://wrapped.example/me",
		},
		scopes:          []string{"id", "mail"},
		scopeSeparator:  ",",
		authStyle:       oauth2.AuthStyleInHeader,
		authorizeParams: func(*provider) map[string]string { return map[string]string{"response_mode": "query"} },
		profile: func(ctx context.Context, g *grant) (authcore.Profile, error) {
			body, err := g.fetch(ctx, "me", g.metadata.userInfo, nil)
			if err != nil {
				return authcore.Profile{}, err
			}
			outer, _ := parseObject(body)
			user, ok := parseObject(outer["data"])
			if !ok {
				return authcore.Profile{}, failed("me: data is not a JSON object")
			}
			return authcore.Profile{Subject: user.display("id"), Nickname: user.display("name")}, nil
		},
	}
}

// TestAFurtherKindIsOneSpec checks that a new kind needs nothing but a spec.
func TestAFurtherKindIsOneSpec(t *testing.T) {
	s := newScript(t, Config{Name: "wrapped"}, wrapped().public)
	s.answer(s.at.userInfo, 200, `{"data":{"id":"u-1","name":"ada"}}`)
	p, err := newProvider(wrapped(), s.cfg, s.deps)
	if err != nil {
		t.Fatalf("newProvider() failed: %v", err)
	}
	address, err := p.AuthorizeURL(t.Context(), authcore.AuthorizeRequest{State: "s", Nonce: "n", Challenge: "c"})
	if err != nil {
		t.Fatalf("Context() failed: %v", err)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatalf("Parse() failed: %v", err)
	}
	query := parsed.Query()
	if query.Get("scope") != "id,mail" || query.Get("response_mode") != "query" || query.Get("display") != "page" ||
		query.Has("nonce") || query.Has("code_challenge") {
		t.Errorf("AuthorizeURL() = %s", address)
	}
	profile, err := s.exchange(p)
	if err != nil || !reflect.DeepEqual(profile, (authcore.Profile{Subject: "u-1", Nickname: "ada"})) {
		t.Errorf("exchange() = %+v, %v", profile, err)
	}
	request := s.to(s.at.token)[0]
	if !strings.HasPrefix(request.header.Get("Authorization"), "Basic ") || request.form.Has("code_verifier") {
		t.Errorf("token request = %v, %v", request.header, request.form)
	}
}

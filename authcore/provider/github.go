package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	githubPageSize = 100
	// githubPages limits the search for the primary address.
	githubPages = 5
)

// github describes github.com, or a GitHub Enterprise Server at its base URL
// (https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps).
//
// The subject is the numeric id: logins can be renamed and reassigned. The address
// is the primary one of /user/emails, verified if that list confirms it, and only
// on github.com: an Enterprise Server may run without mail, so its addresses prove
// nothing. The public address of /user can be any text and is not read.
func github() spec {
	return spec{
		kind: "github",
		public: endpoints{
			authorize: "https://github.com/login/oauth/authorize",
			token:     "https://github.com/login/oauth/access_token",
			userInfo:  "https://api.github.com/user",
		},
		selfHosted: endpoints{
			authorize: "/login/oauth/authorize",
			token:     "/login/oauth/access_token",
			userInfo:  "/api/v3/user",
		},
		scopes:    []string{"user:email"},
		authStyle: oauth2.AuthStyleInParams,
		pkce:      true,
		profile:   githubProfile,
	}
}

func githubProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	body, err := g.fetch(ctx, "user", g.metadata.userInfo, githubHeader())
	if err != nil {
		return authcore.Profile{}, err
	}
	profile, err := readGitHubUser(body)
	if err != nil {
		return authcore.Profile{}, err
	}
	email, verified, err := githubEmail(ctx, g)
	if err != nil {
		return authcore.Profile{}, err
	}
	profile.Email = email
	profile.EmailVerified = verified && g.provider.accounts == ""
	return profile, nil
}

func githubHeader() http.Header {
	return http.Header{
		"Accept":               {"application/vnd.github+json"},
		"X-Github-Api-Version": {"2022-11-28"},
	}
}

// readGitHubUser reads GET /user.
func readGitHubUser(body []byte) (authcore.Profile, error) {
	user, ok := parseObject(body)
	if !ok {
		return authcore.Profile{}, failed("user: the response is not a JSON object")
	}
	id, ok := user.integer("id")
	if !ok {
		return authcore.Profile{}, failed("user: id is not a positive integer")
	}
	return userFields{full: "name", nickname: "login", avatar: "avatar_url"}.profile(user, id), nil
}

// githubEmail returns the primary address. It counts pages instead of following the
// links in the response, which could point elsewhere.
func githubEmail(ctx context.Context, g *grant) (email string, verified bool, err error) {
	address, err := url.Parse(g.metadata.userInfo)
	if err != nil {
		return "", false, failed("user e-mails: %w", errBadURL)
	}
	address = address.JoinPath("emails")
	for page := 1; page <= githubPages; page++ {
		address.RawQuery = url.Values{
			"per_page": {strconv.Itoa(githubPageSize)},
			"page":     {strconv.Itoa(page)},
		}.Encode()
		body, err := g.fetchEmails(ctx, "user e-mails", address.String(), githubHeader())
		if err != nil || body == nil {
			return "", false, err
		}
		email, verified, more, err := readGitHubEmails(body)
		if err != nil || email != "" || !more {
			return email, verified, err
		}
	}
	return "", false, nil
}

// readGitHubEmails parses one page of GET /user/emails and returns the primary
// address, and whether there may be another page.
func readGitHubEmails(body []byte) (email string, verified, more bool, err error) {
	var list []object
	if err := json.Unmarshal(body, &list); err != nil || list == nil {
		return "", false, false, failed("user e-mails: the response is not a list of objects")
	}
	for _, entry := range list {
		if !entry.isTrue("primary") {
			continue
		}
		email, ok := entry.text("email")
		if !ok || email == "" {
			return "", false, false, failed("user e-mails: the primary entry has no address")
		}
		return email, entry.isTrue("verified"), false, nil
	}
	return "", false, len(list) >= githubPageSize, nil
}

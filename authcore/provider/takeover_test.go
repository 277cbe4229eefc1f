package provider_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/session"
)

const victim = "victim@example.com"

// takeover is a rule for the first login through a provider, a row of the table in
// docs/providers.md.
type takeover struct {
	account  string // the account here that has the address
	provider string // the provider's statement about the address
	linkBy   string
	taken    string
	signup   string
	result   string
	reason   string
}

// takeovers covers every combination once.
var takeovers = []takeover{
	{"verified", "verifies it", "verified", "any", "any", "that account", "both sides have verified the address"},
	{"verified", "verifies it", "never", "conflict", "allows it", "409 `email_taken`", "accounts are not joined by address"},
	{"verified", "verifies it", "never", "new_account", "allows it", "a new account without the address", "an address belongs to one account"},
	{"verified", "verifies it", "never", "any", "does not", "403 `signup_closed`", "it would be a new account"},
	{"unverified or none", "verifies it", "any", "any", "allows it", "a new account with the address", "an unverified address reserves nothing"},
	{"unverified or none", "verifies it", "any", "any", "does not", "403 `signup_closed`", ""},
	{"any", "does not verify it", "any", "any", "allows it", "a new account that shows the address", "an unverified address is never looked up"},
	{"any", "does not verify it", "any", "any", "does not", "403 `signup_closed`", ""},
	{"any", "reports none", "any", "any", "allows it", "a new account without the address", ""},
	{"any", "reports none", "any", "any", "does not", "403 `signup_closed`", ""},
}

// statements lists responses of each class of provider, by their meaning.
var statements = []struct {
	meaning, kind string
	reported      members
}{
	{"verifies it", "discord", reports(victim, members{"verified": true})},
	{"verifies it", "azuread-oauth2", reports(victim, members{"xms_edov": true})},
	{"does not verify it", "discord", reports(victim, members{"verified": false})},
	{"does not verify it", "discord", reports(victim, nil)},
	{"does not verify it", "discord", reports(victim, members{"verified": "true"})}, // not the documented type
	{"does not verify it", "spotify", reports(victim, members{"verified": true, "email_verified": true})},
	{"does not verify it", "azuread-oauth2", reports(victim, members{"email_verified": true, "verified": true, "upn": victim})},
	{"does not verify it", "azuread-oauth2", reports(victim, members{"xms_edov": false, "tid": tenantB})},
	{"reports none", "discord", reports("", members{"verified": true})},
	{"reports none", "spotify", reports("", nil)},
	{"reports none", "azuread-oauth2", reports("", members{"xms_edov": true, "upn": victim, "preferred_username": victim})},
}

// signups lists sign-up rules, and whether they admit a verified address at
// example.com and any other login.
var signups = []struct {
	rules           account.Rules
	verified, other bool
}{
	{account.Rules{Signup: account.SignupOpen}, true, true},
	{account.Rules{Signup: account.SignupClosed}, false, false},
	{account.Rules{Signup: account.SignupDomains, Domains: []string{"example.com"}}, true, false},
	{account.Rules{Signup: account.SignupDomains, Domains: []string{"elsewhere.example"}}, false, false},
}

// TestTakeover tries every combination and applies the one rule for it.
func TestTakeover(t *testing.T) {
	server := newServer(t)
	providers := server.providers(t)
	used := map[int]bool{}
	for _, holder := range []string{"none", "unverified", "verified"} {
		for _, statement := range statements {
			for _, linkBy := range []string{"verified", "never"} {
				for _, taken := range []string{"conflict", "new_account"} {
					for _, signup := range signups {
						rules := signup.rules
						rules.LinkByEmail, rules.EmailTaken = linkBy, taken
						open := signup.other || signup.verified && statement.meaning == "verifies it"
						rule := ruleFor(t, holder, statement.meaning, linkBy, taken, open)
						used[rule] = true
						want := takeovers[rule].result
						if got := outcome(t, server.open(t, providers, rules), holder, statement.kind, statement.reported); got != want {
							t.Errorf("account %s, %s %s (%v), %+v: result = %s, want %s",
								holder, statement.kind, statement.meaning, statement.reported, rules, got, want)
						}
					}
				}
			}
		}
	}
	if len(used) != len(takeovers) {
		t.Errorf("used rules = %v, want all %d", used, len(takeovers))
	}
}

// ruleFor returns the index of the only rule for a combination.
func ruleFor(t *testing.T, holder, meaning, linkBy, taken string, open bool) int {
	t.Helper()
	signup := map[bool]string{true: "allows it", false: "does not"}[open]
	covers := func(column, value string) bool {
		return column == "any" || slices.Contains(strings.Split(column, " or "), value)
	}
	found := -1
	for i, rule := range takeovers {
		if !covers(rule.account, holder) || rule.provider != meaning || !covers(rule.linkBy, linkBy) ||
			!covers(rule.taken, taken) || !covers(rule.signup, signup) {
			continue
		}
		if found >= 0 {
			t.Fatalf("rules %d and %d overlap", found, i)
		}
		found = i
	}
	if found < 0 {
		t.Fatalf("no rule covers %s, %s, %s, %s, %s", holder, meaning, linkBy, taken, signup)
	}
	return found
}

// outcome logs in through the provider, after a user with the address was stored.
// Afterwards it checks that another address at the provider changes neither
// account.
func outcome(t *testing.T, f *fixture, holder, kind string, reported members) string {
	t.Helper()
	var owner string
	if holder != "none" {
		owner = f.owner(holder == "verified")
	}
	grant, err := f.social(kind, reported)
	var refused *authcore.Error
	if errors.As(err, &refused) {
		return fmt.Sprintf("%d %#q", refused.Status, refused.Code)
	}
	if err != nil {
		t.Fatalf("Social() failed: %v", err)
	}
	changed := maps.Clone(reported)
	changed["email"], changed["verified"], changed["xms_edov"] = "new@example.com", true, true
	again, err := f.social(kind, changed)
	if err != nil || again.User.ID != grant.User.ID || again.User.Email != grant.User.Email || again.User.EmailVerified != grant.User.EmailVerified {
		t.Errorf("Social() with another address = %+v, %v, want %+v", again.User, err, grant.User)
	}
	if owner != "" {
		still, err := f.store.User(t.Context(), authcore.UserRef{ID: owner})
		if err != nil || still.Email != victim || still.EmailVerified != (holder == "verified") {
			t.Errorf("User() of the owner = %+v, %v, want an unchanged address", still, err)
		}
	}
	switch {
	case grant.User.ID == owner:
		return "that account"
	case grant.User.Email == "":
		return "a new account without the address"
	case grant.User.EmailVerified:
		return "a new account with the address"
	default:
		return "a new account that shows the address"
	}
}

// TestTakeoverTableIsDocumented compares the table in the documentation.
func TestTakeoverTableIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatalf("ReadFile() failed: %v", err)
	}
	_, section, found := strings.Cut(string(text), "\n## Which account a login leads to\n")
	if !found {
		t.Fatal("docs/providers.md has no section about accounts")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var documented []string
	for line := range strings.SplitSeq(section, "\n") {
		if strings.HasPrefix(line, "| ") {
			documented = append(documented, line)
		}
	}
	want := []string{"| account with this address | provider | `link_by_email` | `email_taken` | `signup` | result | reason |"}
	for _, r := range takeovers {
		code := func(value string) string {
			if value == "any" || value == "allows it" || value == "does not" {
				return value
			}
			return "`" + value + "`"
		}
		want = append(want, strings.ReplaceAll(fmt.Sprintf("| %s | %s | %s | %s | %s | **%s** | %s |",
			r.account, r.provider, code(r.linkBy), code(r.taken), code(r.signup), r.result, r.reason), "|  |", "| |"))
	}
	if !slices.Equal(documented, want) {
		t.Errorf("documented table =\n%s\nwant\n%s", strings.Join(documented, "\n"), strings.Join(want, "\n"))
	}
}

// TestPreRegistration registers an account with the victim's unverified address.
// The account gains nothing when the owner logs in by link or through a provider,
// and no later login of the owner leads to it (pre-hijacking, CWE-287).
func TestPreRegistration(t *testing.T) {
	server := newServer(t)
	providers := server.providers(t)
	for name, arrive := range map[string]func(*fixture) session.Grant{
		"by link": func(f *fixture) session.Grant { return f.byLink(victim) },
		"through a provider that verifies addresses": func(f *fixture) session.Grant {
			grant, err := f.social("discord", reports(victim, members{"verified": true}))
			if err != nil {
				t.Fatalf("Social() failed: %v", err)
			}
			return grant
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := server.open(t, providers, account.Rules{})
			attack := reports(victim, members{"id": "666"})
			attacker, err := f.social("spotify", attack)
			if err != nil {
				t.Fatalf("Social() of the attacker failed: %v", err)
			}
			if claims := f.claims(attacker.Token); claims.Email != "" || claims.EmailVerified {
				t.Errorf("claims = %+v, want no unverified address", claims)
			}
			owner := arrive(f)
			if owner.User.ID == attacker.User.ID || !owner.IsNew {
				t.Fatal("the owner was logged in to the attacker's account")
			}
			again, err := f.social("spotify", attack)
			if err != nil || again.User.ID != attacker.User.ID {
				t.Errorf("Social() of the attacker = %+v, %v, want the attacker's account", again.User, err)
			}
			if back := f.byLink(victim); back.User.ID != owner.User.ID {
				t.Error("the owner's link leads to another account")
			}
			if user, err := f.Accounts.Find(t.Context(), victim); err != nil || user.ID != owner.User.ID {
				t.Errorf("Find(%s) = %+v, %v, want the owner", victim, user, err)
			}
		})
	}
}

// TestSubjects distinguishes accounts by provider, tenant and id, and refuses
// responses without an id (CWE-287; OpenID Connect Core 1.0, section 5.7).
func TestSubjects(t *testing.T) {
	server := newServer(t)
	f := server.open(t, server.providers(t), account.Rules{})
	seen := map[string]string{}
	for name, c := range map[string]struct {
		kind     string
		reported members
	}{
		"tenant A":         {"azuread-oauth2", reports("", nil)},
		"tenant B":         {"azuread-oauth2", reports("", members{"tid": tenantB})},
		"another provider": {"discord", reports("", nil)},
		"a third provider": {"spotify", reports("", nil)},
		"another id":       {"spotify", reports("", members{"id": "4712"})},
		"upper-case id":    {"spotify", reports("", members{"id": "User"})},
		"lower-case id":    {"spotify", reports("", members{"id": "user"})},
	} {
		grant, err := f.social(c.kind, c.reported)
		if err != nil || seen[grant.User.ID] != "" {
			t.Errorf("%s: Social() failed with %v or returned the account of %q", name, err, seen[grant.User.ID])
		}
		seen[grant.User.ID] = name
	}
	for name, c := range map[string]struct {
		kind     string
		reported members
	}{
		"empty id":      {"discord", reports(victim, members{"id": "", "verified": true})},
		"no id":         {"spotify", members{"email": victim, "tid": tenantA}},
		"null":          {"spotify", reports(victim, members{"id": nil})},
		"the word None": {"discord", reports(victim, members{"id": "None", "verified": true})},
		"no oid":        {"azuread-oauth2", reports(victim, members{"oid": "", "xms_edov": true})},
		"large number":  {"discord", reports(victim, members{"id": 1e30, "verified": true})},
	} {
		_, err := f.social(c.kind, c.reported)
		var refused *authcore.Error
		if !errors.As(err, &refused) || refused.Status != 502 {
			t.Errorf("%s: Social() failed with %v, want 502", name, err)
		}
	}
	if user, err := f.Accounts.Find(t.Context(), victim); err == nil {
		t.Errorf("Find(%s) = %+v, want no account", victim, user)
	}
}

// TestChangedAddress changes the address at the provider to another user's. Logins
// keep leading to the same account.
func TestChangedAddress(t *testing.T) {
	server := newServer(t)
	f := server.open(t, server.providers(t), account.Rules{})
	owner := f.byLink(victim)
	for _, c := range []struct {
		kind string
		more members
	}{
		{"discord", members{"verified": true}},
		{"spotify", nil},
		{"azuread-oauth2", members{"xms_edov": true}},
	} {
		before, err := f.social(c.kind, reports(c.kind+"@example.com", c.more))
		if err != nil {
			t.Fatalf("%s: Social() failed: %v", c.kind, err)
		}
		after, err := f.social(c.kind, reports(victim, c.more))
		if err != nil || after.User.ID != before.User.ID || after.User.ID == owner.User.ID || after.User.Email != c.kind+"@example.com" {
			t.Errorf("%s: Social() = %+v, %v, want the same account", c.kind, after.User, err)
		}
		if claims := f.claims(after.Token); claims.Email == victim {
			t.Errorf("%s: claims.Email = %s, want another address", c.kind, claims.Email)
		}
	}
}

package provider_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	victim  = "victim@example.com"
	ownerID = "0190f5fe-0000-7000-8000-000000000001"
)

// takeover is a rule about a first login through a provider that names an
// address, in the words of docs/providers.md, which has the same table.
type takeover struct {
	account   string // who has the address here
	provider  string // what it says about the address
	linkBy    string
	taken     string
	signup    string
	logsInAs  string
	becauseOf string
}

// takeovers covers every combination of what it depends on once.
var takeovers = []takeover{
	{"proven", "vouches", "verified", "any", "any", "that account", "both sides have proven it"},
	{"proven", "vouches", "never", "conflict", "open to it", "409 `email_taken`", "nothing is joined by address"},
	{"proven", "vouches", "never", "new_account", "open to it", "a new account without the address", "an address belongs to one account"},
	{"proven", "vouches", "never", "any", "not", "403 `signup_closed`", "it would be a new account"},
	{"proven", "does not", "any", "conflict", "any", "409 `email_taken`", "anybody can claim an address"},
	{"proven", "does not", "any", "new_account", "open to it", "a new account without the address", "the same"},
	{"proven", "does not", "any", "new_account", "not", "403 `signup_closed`", "the same"},
	{"unproven or none", "vouches", "any", "any", "open to it", "a new account with the address", "who only claims an address has no claim to it"},
	{"unproven or none", "vouches", "any", "any", "not", "403 `signup_closed`", ""},
	{"unproven or none", "does not", "any", "any", "open to it", "a new account that shows the address", "it identifies nobody"},
	{"unproven or none", "does not", "any", "any", "not", "403 `signup_closed`", ""},
	{"any", "names none", "any", "any", "open to it", "a new account without the address", ""},
	{"any", "names none", "any", "any", "not", "403 `signup_closed`", ""},
}

// vouching lists what "vouches" and its opposites stand for: each class of
// provider with what it may say.
var vouching = []struct {
	word, kind string
	says       person
}{
	{"vouches", "discord", say(victim, person{"verified": true})},
	{"vouches", "azuread-oauth2", say(victim, person{"xms_edov": true})},
	{"does not", "discord", say(victim, person{"verified": false})},
	{"does not", "discord", say(victim, nil)},
	{"does not", "discord", say(victim, person{"verified": "true"})}, // not the type it is documented to have
	{"does not", "spotify", say(victim, person{"verified": true, "email_verified": true})},
	{"does not", "azuread-oauth2", say(victim, person{"email_verified": true, "verified": true, "upn": victim})},
	{"does not", "azuread-oauth2", say(victim, person{"xms_edov": false, "tid": tenantB})},
	{"names none", "discord", say("", person{"verified": true})},
	{"names none", "spotify", say("", nil)},
	{"names none", "azuread-oauth2", say("", person{"xms_edov": true, "upn": victim, "preferred_username": victim})},
}

// signups lists what a realm can say about newcomers, and whether that lets in
// somebody with a proven address at example.com, and anybody else.
var signups = []struct {
	rules           authcore.AccountRules
	proven, another bool
}{
	{authcore.AccountRules{Signup: authcore.SignupOpen}, true, true},
	{authcore.AccountRules{Signup: authcore.SignupClosed}, false, false},
	{authcore.AccountRules{Signup: authcore.SignupDomains, Domains: []string{"example.com"}}, true, false},
	{authcore.AccountRules{Signup: authcore.SignupDomains, Domains: []string{"elsewhere.example"}}, false, false},
}

// TestTakeover tries every combination, and finds the one rule for it.
func TestTakeover(t *testing.T) {
	server := newClasses(t)
	providers := server.providers(t)
	used := map[int]bool{}
	for _, account := range []string{"none", "unproven", "proven"} {
		for _, word := range vouching {
			for _, linkBy := range []string{"verified", "never"} {
				for _, taken := range []string{"conflict", "new_account"} {
					for _, signup := range signups {
						rules := signup.rules
						rules.LinkByEmail, rules.EmailTaken = linkBy, taken
						open := signup.another || signup.proven && word.word == "vouches"
						rule := ruleFor(t, account, word.word, linkBy, taken, open)
						used[rule] = true
						want := takeovers[rule].logsInAs
						if got := outcome(t, server.open(t, providers, rules), account, word.kind, word.says); got != want {
							t.Errorf("account %s, %s that %s (%v), %+v: got %s, want %s", account, word.kind, word.word, word.says, rules, got, want)
						}
					}
				}
			}
		}
	}
	if len(used) != len(takeovers) {
		t.Errorf("only the rules %v were met", used)
	}
}

// ruleFor returns the rule of a combination. There is exactly one.
func ruleFor(t *testing.T, account, word, linkBy, taken string, open bool) int {
	t.Helper()
	signup := map[bool]string{true: "open to it", false: "not"}[open]
	covers := func(column, value string) bool {
		return column == "any" || slices.Contains(strings.Split(column, " or "), value)
	}
	found := -1
	for i, rule := range takeovers {
		if !covers(rule.account, account) || rule.provider != word || !covers(rule.linkBy, linkBy) ||
			!covers(rule.taken, taken) || !covers(rule.signup, signup) {
			continue
		}
		if found >= 0 {
			t.Fatalf("rules %d and %d are about the same", found, i)
		}
		found = i
	}
	if found < 0 {
		t.Fatalf("there is no rule for %s, %s, %s, %s, %s", account, word, linkBy, taken, signup)
	}
	return found
}

// outcome puts somebody with the address into the realm, has somebody come
// through the provider, and tells what they log in as. Whatever it is, it stays
// so when the provider names another address later, and the one who was there
// first is who they were.
func outcome(t *testing.T, f *comer, account, kind string, says person) string {
	t.Helper()
	owner := authcore.User{ID: ownerID, Email: victim, EmailVerified: account == "proven", Created: time.Unix(1, 0).UTC()}
	if account != "none" {
		identity := authcore.Identity{Provider: "elsewhere", Subject: "owner"}
		if _, _, err := f.store.EnsureIdentity(t.Context(), identity, owner, false); err != nil {
			t.Fatal(err)
		}
	}
	login, err := f.comes(kind, says)
	var refused *authcore.Error
	if errors.As(err, &refused) {
		return fmt.Sprintf("%d %#q", refused.Status, refused.Code)
	}
	if err != nil {
		t.Fatal(err)
	}
	moved := person{}
	for name, value := range says {
		moved[name] = value
	}
	moved["email"], moved["verified"], moved["xms_edov"] = "new@example.com", true, true
	if again, err := f.comes(kind, moved); err != nil || again.User != login.User {
		t.Errorf("with another address: %+v, %v; before: %+v", again.User, err, login.User)
	}
	if account != "none" {
		if still, err := f.store.User(t.Context(), ownerID); err != nil || still != owner {
			t.Errorf("the account that was there is %+v, %v; before: %+v", still, err, owner)
		}
	}
	switch {
	case login.User.ID == ownerID:
		return "that account"
	case login.User.Email == "":
		return "a new account without the address"
	case login.User.EmailVerified:
		return "a new account with the address"
	default:
		return "a new account that shows the address"
	}
}

// The documentation has the same table.
func TestTakeoverTableIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## Who gets which account\n")
	if !found {
		t.Fatal("the section is gone")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var documented []string
	for _, line := range strings.Split(section, "\n") {
		if strings.HasPrefix(line, "| ") {
			documented = append(documented, line)
		}
	}
	want := []string{"| account here that has the address | the provider | `link_by_email` | `email_taken` | `signup` | logs in as | because |"}
	for _, r := range takeovers {
		code := func(value string) string {
			if value == "any" || value == "open to it" || value == "not" {
				return value
			}
			return "`" + value + "`"
		}
		want = append(want, strings.ReplaceAll(fmt.Sprintf("| %s | %s | %s | %s | %s | **%s** | %s |",
			r.account, r.provider, code(r.linkBy), code(r.taken), code(r.signup), r.logsInAs, r.becauseOf), "|  |", "| |"))
	}
	if !slices.Equal(documented, want) {
		t.Errorf("documented:\n%s\nwant:\n%s", strings.Join(documented, "\n"), strings.Join(want, "\n"))
	}
}

// An account that somebody made with another's unproven address gains nothing
// when the owner arrives, by link or through a provider, and nothing that the
// owner does later leads there (pre-hijacking, CWE-287).
func TestPreRegistration(t *testing.T) {
	server := newClasses(t)
	providers := server.providers(t)
	for name, arrives := range map[string]func(*comer) authcore.Login{
		"by link": func(f *comer) authcore.Login { return f.loginAs(victim) },
		"through a provider that vouches": func(f *comer) authcore.Login {
			login, err := f.comes("discord", say(victim, person{"verified": true}))
			if err != nil {
				t.Fatal(err)
			}
			return login
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := server.open(t, providers, authcore.AccountRules{})
			attack := say(victim, person{"id": "666"})
			attacker, err := f.comes("spotify", attack)
			if err != nil {
				t.Fatal(err)
			}
			if claims := f.claims(attacker.Token); claims.Email != "" || claims.EmailVerified {
				t.Errorf("the token speaks of an unproven address: %+v", claims)
			}
			owner := arrives(f)
			if owner.User.ID == attacker.User.ID || !owner.IsNew {
				t.Fatal("the owner was put into the attacker's account")
			}
			again, err := f.comes("spotify", attack)
			if err != nil || again.User.ID != attacker.User.ID {
				t.Errorf("the attacker logs in as %+v, %v", again.User, err)
			}
			if back := f.loginAs(victim); back.User.ID != owner.User.ID {
				t.Error("the owner's link leads to another account")
			}
			if user, err := f.FindUser(t.Context(), victim); err != nil || user.ID != owner.User.ID {
				t.Errorf("the address belongs to %+v, %v", user, err)
			}
		})
	}
}

// The id of an account is the provider's, in its tenant, and there is one
// (CWE-287; OpenID Connect Core 1.0, section 5.7).
func TestSubjects(t *testing.T) {
	server := newClasses(t)
	providers := server.providers(t)
	f := server.open(t, providers, authcore.AccountRules{})
	seen := map[string]string{}
	for name, c := range map[string]struct {
		kind string
		says person
	}{
		"tenant A":          {"azuread-oauth2", say("", nil)},
		"tenant B":          {"azuread-oauth2", say("", person{"tid": tenantB})},
		"another provider":  {"discord", say("", nil)},
		"a third one":       {"spotify", say("", nil)},
		"another id":        {"spotify", say("", person{"id": "4712"})},
		"an id in capitals": {"spotify", say("", person{"id": "User"})},
		"and in small ones": {"spotify", say("", person{"id": "user"})},
	} {
		login, err := f.comes(c.kind, c.says)
		if err != nil || seen[login.User.ID] != "" {
			t.Errorf("%s: %v, the same as %s", name, err, seen[login.User.ID])
		}
		seen[login.User.ID] = name
	}
	for name, c := range map[string]struct {
		kind string
		says person
	}{
		"empty":            {"discord", say(victim, person{"id": "", "verified": true})},
		"missing":          {"spotify", person{"email": victim, "tid": tenantA}},
		"null":             {"spotify", say(victim, person{"id": nil})},
		"the word for it":  {"discord", say(victim, person{"id": "None", "verified": true})},
		"no oid":           {"azuread-oauth2", say(victim, person{"oid": "", "xms_edov": true})},
		"a number too big": {"discord", say(victim, person{"id": 1e30, "verified": true})},
	} {
		_, err := f.comes(c.kind, c.says)
		var refused *authcore.Error
		if !errors.As(err, &refused) || refused.Status != 502 {
			t.Errorf("id is %s: %v", name, err)
		}
	}
	if _, err := f.FindUser(t.Context(), victim); err == nil {
		t.Error("an account was made for nobody")
	}
}

// An address that changes at the provider, to that of somebody else even, moves
// nobody anywhere.
func TestChangedAddress(t *testing.T) {
	server := newClasses(t)
	f := server.open(t, server.providers(t), authcore.AccountRules{})
	owner := f.loginAs(victim)
	for _, c := range []struct {
		kind string
		more person
	}{
		{"discord", person{"verified": true}},
		{"spotify", nil},
		{"azuread-oauth2", person{"xms_edov": true}},
	} {
		before, err := f.comes(c.kind, say(c.kind+"@example.com", c.more))
		if err != nil {
			t.Fatal(err)
		}
		after, err := f.comes(c.kind, say(victim, c.more))
		if err != nil || after.User.ID != before.User.ID || after.User.ID == owner.User.ID || after.User.Email != c.kind+"@example.com" {
			t.Errorf("%s: %+v, %v", c.kind, after.User, err)
		}
		if claims := f.claims(after.Token); claims.Email == victim {
			t.Errorf("%s: the token speaks of %s", c.kind, claims.Email)
		}
	}
}

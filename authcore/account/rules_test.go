package account_test

import (
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// newRules returns valid rules.
func newRules(t *testing.T, rules account.Rules) *account.Rules {
	t.Helper()
	rules.SetDefaults()
	if err := rules.Validate(); err != nil {
		t.Fatalf("Validate() of %+v failed: %v", rules, err)
	}
	return &rules
}

func verified(address string) account.Email {
	return account.Email{Address: address, Verified: true}
}

func unverified(address string) account.Email { return account.Email{Address: address} }

func TestAdmits(t *testing.T) {
	rules := newRules(t, account.Rules{
		Allow: []string{"example.com", "EXAMPLE.com", "Guest@Elsewhere.example", "bücher.example", "tag+one@elsewhere.example", "evil.example"},
		Deny:  []string{"mallory@example.com", "evil.example", "news+bot@example.com"},
	})
	for address, want := range map[string]bool{
		"":                            false,
		"ann@example.com":             true,
		"Ann@EXAMPLE.com":             true,
		"guest@elsewhere.example":     true,
		"ann@xn--bcher-kva.example":   true,
		"ann@BÜCHER.example":          true,
		"tag+one@elsewhere.example":   true,
		"tag@elsewhere.example":       false,
		"tag+two@elsewhere.example":   false,
		"guest+x@elsewhere.example":   false, // it may be another mailbox
		"ann@sub.example.com":         false,
		"ann@example.com.evil.test":   false,
		"ann@other.example":           false,
		"mallory@example.com":         false,
		"MALLORY@example.com":         false,
		"mallory+again@example.com":   false,
		"news+bot@example.com":        false,
		"news@example.com":            true,
		"news+other@example.com":      true,
		"ann@evil.example":            false, // deny overrides allow
		"example.com@elsewhere.test":  false,
		"mallory.other@example.com":   true,
		"x+mallory@example.com":       true,
		"ann%example.com@example.com": true,
	} {
		if got := rules.Admits(verified(address)); got != want {
			t.Errorf("Admits(verified %q) = %t, want %t", address, got, want)
		}
	}
}

func TestAdmitsSeveral(t *testing.T) {
	allow := account.Rules{Allow: []string{"example.com"}}
	deny := account.Rules{Deny: []string{"example.com"}}
	for name, c := range map[string]struct {
		rules  account.Rules
		emails []account.Email
		want   bool
	}{
		"no lists, no address":              {account.Rules{}, nil, true},
		"allow, no address":                 {allow, nil, false},
		"allow, verified":                   {allow, []account.Email{verified("a@example.com")}, true},
		"allow, unverified":                 {allow, []account.Email{unverified("a@example.com")}, false},
		"allow, one of two":                 {allow, []account.Email{verified("a@other.example"), verified("a@example.com")}, true},
		"allow, the unverified one of two":  {allow, []account.Email{verified("a@other.example"), unverified("a@example.com")}, false},
		"allow, an address that is invalid": {allow, []account.Email{verified(`"a"@example.com`)}, false},
		"deny, no address":                  {deny, nil, true},
		"deny, empty address":               {deny, []account.Email{verified("")}, true},
		"deny, unverified":                  {deny, []account.Email{unverified("a@example.com")}, false},
		"deny, one of two":                  {deny, []account.Email{verified("a@other.example"), unverified("a@example.com")}, false},
		"deny, another":                     {deny, []account.Email{verified("a@other.example")}, true},
		"deny, a user name":                 {deny, []account.Email{unverified("ann")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newRules(t, c.rules).Admits(c.emails...); got != c.want {
				t.Errorf("Admits(%v) = %t, want %t", c.emails, got, c.want)
			}
		})
	}
}

// Lists that were not prepared admit no login.
func TestAdmitsBeforeValidate(t *testing.T) {
	for _, rules := range []account.Rules{{Allow: []string{"example.com"}}, {Deny: []string{"evil.example"}}} {
		if rules.Admits(verified("ann@example.com")) {
			t.Errorf("Admits() of %+v = true before Validate, want false", rules)
		}
	}
}

func TestMaySignUp(t *testing.T) {
	domains := account.Rules{Signup: account.SignupDomains, Domains: []string{"Example.com", "bücher.example"}}
	for _, c := range []struct {
		rules    account.Rules
		address  string
		verified bool
		want     bool
	}{
		{account.Rules{}, "", false, true},
		{account.Rules{Signup: account.SignupClosed}, "ann@example.com", true, false},
		{domains, "ann@example.com", true, true},
		{domains, "ann@xn--bcher-kva.example", true, true},
		{domains, "ann@example.com", false, false},
		{domains, "ann@sub.example.com", true, false},
		{domains, "ann@other.example", true, false},
		{domains, "", true, false},
		{account.Rules{Signup: "unknown"}, "ann@example.com", true, false},
	} {
		c.rules.SetDefaults()
		address, _ := authcore.ParseAddress(c.address)
		if got := c.rules.MaySignUp(address, c.verified); got != c.want {
			t.Errorf("MaySignUp(%q, %t) with %+v = %t, want %t", c.address, c.verified, c.rules, got, c.want)
		}
	}
}

func TestThrough(t *testing.T) {
	realm := newRules(t, account.Rules{
		Signup: account.SignupDomains, Domains: []string{"example.com"}, Deny: []string{"evil.example"},
	})
	for name, c := range map[string]struct {
		own             account.ProviderRules
		signup, domains string
		link            string
	}{
		"nothing":       {account.ProviderRules{}, "domains", "example.com", "verified"},
		"closed":        {account.ProviderRules{Signup: "closed"}, "closed", "", "verified"},
		"other domains": {account.ProviderRules{Signup: "domains", Domains: []string{"example.org"}}, "domains", "example.org", "verified"},
		"never links":   {account.ProviderRules{LinkByEmail: "never"}, "domains", "example.com", "never"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := realm.Through(c.own)
			if rules.Signup != c.signup || strings.Join(rules.Domains, " ") != c.domains || rules.LinkByEmail != c.link {
				t.Errorf("Through(%+v) = %+v, want signup %s %s, link_by_email %s", c.own, rules, c.signup, c.domains, c.link)
			}
			if rules.Admits(verified("eve@evil.example")) || !rules.Admits(verified("ann@example.com")) {
				t.Errorf("Through(%+v) does not keep the lists of the realm", c.own)
			}
			if err := realm.ValidateProvider(c.own); err != nil {
				t.Errorf("ValidateProvider(%+v) = %v, want nil", c.own, err)
			}
		})
	}
	if realm.Signup != account.SignupDomains || realm.LinkByEmail != account.LinkByEmailVerified {
		t.Errorf("Through changed the rules of the realm: %+v", realm)
	}
}

func TestValidate(t *testing.T) {
	for want, rules := range map[string]account.Rules{
		`signup: "maybe" is not valid; use one of open, closed, domains`:        {Signup: "maybe"},
		`signup: domains needs a domain`:                                        {Signup: "domains"},
		`signup: domains are used with "domains" only`:                          {Domains: []string{"example.com"}},
		`signup: "a b" is not a domain; write for example example.com`:          {Signup: "domains", Domains: []string{"example.com", "a b"}},
		`link_by_email: "always" is not valid; use one of verified, never`:      {LinkByEmail: "always"},
		`email_taken: "ignore" is not valid; use one of conflict, new_account`:  {EmailTaken: "ignore"},
		`allow: "*@example.com" contains a wildcard; write a domain without it`: {Allow: []string{"*@example.com"}},
		`deny: "com" is not an e-mail address or a domain`:                      {Deny: []string{"com"}},
		`allow: "a@b@c.example" is not an e-mail address or a domain`:           {Allow: []string{"a@b@c.example"}},
	} {
		rules.SetDefaults()
		if err := rules.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate() of %+v = %v, want %s", rules, err, want)
		}
	}
	var realm account.Rules
	realm.SetDefaults()
	for want, own := range map[string]account.ProviderRules{
		`signup: "maybe"`:                {Signup: "maybe"},
		`link_by_email: "x"`:             {LinkByEmail: "x"},
		`signup: domains needs a domain`: {Signup: "domains"},
		`signup: domains are used with`:  {Domains: []string{"example.com"}, Signup: "open"},
	} {
		if err := realm.ValidateProvider(own); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ValidateProvider(%+v) = %v, want %s", own, err, want)
		}
	}
}

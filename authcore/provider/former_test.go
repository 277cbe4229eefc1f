package provider

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// person contains members of a response.
type person map[string]any

// put sets members of the ID token's claims or of another answer, where there is
// one and it is an object.
func (s *script) put(document string, members person) {
	into := s.claims
	if document != "claims" {
		into, _ = s.docs[document].(map[string]any)
	}
	for name, value := range members {
		if into == nil {
			return
		}
		if into[name] = value; value == absent {
			delete(into, name)
		}
	}
}

// TestGoogleFormerSubject returns the address as a former subject only if Google is
// authoritative for it at this moment. A Google account with an external address
// proves past access to the mailbox, which may belong to another user now
// (CWE-290).
func TestGoogleFormerSubject(t *testing.T) {
	for _, test := range []struct {
		name         string
		email        any
		verified, hd any
		want         string
	}{
		{"Gmail", "ada@gmail.com", true, absent, "ada@gmail.com"},
		{"the former domain of Gmail", "ada@googlemail.com", true, absent, "ada@googlemail.com"},
		{"Gmail, verified as a text", "ada@gmail.com", "true", absent, "ada@gmail.com"},
		{"in another case than in python-social-auth", "Ada.Lovelace@GMail.com", true, absent, "ada.lovelace@gmail.com"},
		{"with a tag, which account addresses do not have", "ada+x@gmail.com", true, absent, "ada+x@gmail.com"},
		{"Workspace", "ada@example.com", true, "example.com", "ada@example.com"},
		{"Gmail, unverified", "ada@gmail.com", false, absent, ""},
		{"Gmail, without email_verified", "ada@gmail.com", absent, absent, ""},
		{"Gmail, verified as something else", "ada@gmail.com", 1, absent, ""},
		{"Workspace, unverified", "ada@example.com", false, "example.com", ""},
		{"an external address", "ada@example.com", true, absent, ""},
		{"an external address, empty organization", "ada@example.com", true, "", ""},
		{"an external address, foreign organization", "ada@example.com", true, "evil.example", ""},
		{"the organization of a parent domain", "ada@mail.example.com", true, "example.com", ""},
		{"the organization of a sub-domain", "ada@example.com", true, "mail.example.com", ""},
		{"the organization in another case", "ada@example.com", true, "EXAMPLE.com", ""},
		{"several organizations", "ada@example.com", true, []string{"example.com"}, ""},
		{"a domain with the same suffix", "ada@notgmail.com", true, absent, ""},
		{"a sub-domain", "ada@gmail.com.evil.example", true, absent, ""},
		{"two addresses", "ada@gmail.com@evil.example", true, "evil.example", ""},
		{"an organization that is not the domain", "ada@example.com", true, "gmail.com", ""},
		{"no address", absent, true, "example.com", ""},
		{"an empty address", "", true, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := googleScript(t)
			s.put("claims", person{"email": test.email, "email_verified": test.verified, "hd": test.hd})
			// The user info endpoint must have no effect.
			s.put("user", person{"email": "ada@gmail.com", "email_verified": true, "hd": "gmail.com"})
			code, err := s.exchange(s.provider())
			if err != nil || code.FormerSubject != test.want {
				t.Errorf("with a code: former subject %q, %v; want %q", code.FormerSubject, err, test.want)
			}
			token, err := s.verify(t, "", nil)
			if err != nil || token.FormerSubject != test.want {
				t.Errorf("with an ID token: former subject %q, %v; want %q", token.FormerSubject, err, test.want)
			}
		})
	}
}

// TestAppleTransferSub returns only a usable text as former subject, and never as
// subject.
func TestAppleTransferSub(t *testing.T) {
	const transferSub = "760417.ebbf12acbc78e1be1668ba852d492d8a.1827"
	for _, test := range []struct {
		value any
		want  string
		fails error
	}{
		{transferSub, transferSub, nil},
		{absent, "", nil},
		{nil, "", nil},
		{"", "", nil},
		{"null", "", nil},
		{"a\x00b", "", nil},
		{strings.Repeat("x", maxSubject+1), "", nil},
		{7, "", authcore.ErrProviderFailed},
		{[]string{transferSub}, "", authcore.ErrProviderFailed},
	} {
		row := rowOf(t, "apple-id")
		s := row.script(t)
		s.put("claims", person{"transfer_sub": test.value})
		want := row.want
		want.FormerSubject = test.want
		for _, login := range []func() (authcore.Profile, error){
			func() (authcore.Profile, error) { return s.exchange(s.provider()) },
			func() (authcore.Profile, error) { return s.verify(t, "", nil) },
		} {
			got, err := login()
			wants(t, err, test.fails)
			if err == nil && (got.FormerSubject != want.FormerSubject || got.Subject != want.Subject) {
				t.Errorf("%v: login() = %+v, want %+v", test.value, got, want)
			}
		}
	}
}

// TestOthersHaveNoFormerSubject: values that can be reassigned at other providers,
// such as UPN, preferred_username and address, are not former subjects, and neither
// is a claim of Apple's (CWE-290).
func TestOthersHaveNoFormerSubject(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		if r.kind == "apple-id" || r.kind == "google-oauth2" {
			t.Skip("the kind has a former subject")
		}
		s := r.script(t)
		for _, document := range []string{"claims", "user"} {
			s.put(document, person{"transfer_sub": "760417.e.1827", "hd": "gmail.com", "upn": "ada@gmail.com"})
		}
		got, err := r.login(s)
		if err != nil || got.FormerSubject != "" {
			t.Errorf("former subject %q, %v", got.FormerSubject, err)
		}
	})
}

// TestImportNamesMatchLogin: the imported names of a uid equal those of a later
// login, including the issuer, or the uid is refused with a reason.
func TestImportNamesMatchLogin(t *testing.T) {
	refused := []string{"azuread-oauth2", "keycloak", "mailru", "okta-openidconnect", "slack"}
	forEach(t, func(t *testing.T, r *recorded) {
		s := r.script(t)
		profile, err := r.login(s)
		if err != nil {
			t.Fatalf("login() failed: %v", err)
		}
		importer := s.provider().(authcore.Importer)
		got, err := importer.ImportNames(profile.Subject, "")
		if slices.Contains(refused, r.kind) {
			if err == nil || !strings.Contains(err.Error(), "cannot be migrated") {
				t.Errorf("ImportNames() = %+v, %v", got, err)
			}
			return
		}
		if want := (authcore.ImportedNames{Issuer: profile.Issuer, Subject: profile.Subject}); err != nil || got != want {
			t.Errorf("ImportNames() = %+v, %v; want %+v", got, err, want)
		}
		for _, bad := range []string{"", "None", "null", "0", " 1", "1\n", "a\x00b", strings.Repeat("1", maxSubject+1)} {
			if got, err := importer.ImportNames(bad, ""); err == nil {
				t.Errorf("%.20q: ImportNames() = %+v", bad, got)
			} else if bad != "" && strings.Contains(err.Error(), bad) {
				t.Errorf("ImportNames(%.20q) failed with %v, which contains the uid", bad, err)
			}
		}
		if got, err := importer.ImportNames(profile.Subject, "760417.e.1827"); (err == nil) != (r.kind == "apple-id") {
			t.Errorf("with transfer_sub: ImportNames() = %+v, %v", got, err)
		}
	})
}

func TestImportNames(t *testing.T) {
	const google, apple = "https://accounts.google.com", "https://appleid.apple.com"
	for _, test := range []struct {
		kind, name, uid, transferSub string
		want                         authcore.ImportedNames
		fault                        string
	}{
		{kind: "google-oauth2", uid: "Ada.Lovelace@Example.COM", want: authcore.ImportedNames{Issuer: google, FormerSubject: "ada.lovelace@example.com"}},
		{kind: "google-oauth2", uid: "110169484474386276334", want: authcore.ImportedNames{Issuer: google, Subject: "110169484474386276334"}},
		{kind: "google-oauth2", uid: "ada", fault: "an e-mail address or a number"},
		{kind: "google-oauth2", uid: "ada@b@example.com", fault: "not a valid e-mail address"},
		{kind: "google-oauth2", uid: "@", fault: "not a valid e-mail address"},
		{kind: "google-oauth2", uid: "ada@gmail.com", transferSub: "x", fault: "only apple-id"},
		{kind: "apple-id", transferSub: "760417.e.1", want: authcore.ImportedNames{Issuer: apple, FormerSubject: "760417.e.1"}},
		{kind: "apple-id", uid: "001234.a.1", transferSub: "760417.e.1", want: authcore.ImportedNames{Issuer: apple, Subject: "001234.a.1", FormerSubject: "760417.e.1"}},
		{kind: "apple-id", uid: "ada@example.com", fault: "without an @"},
		{kind: "apple-id", transferSub: "ada@example.com", fault: "not a valid transfer identifier"},
		{kind: "apple-id", transferSub: "None", fault: "not a valid transfer identifier"},
		{kind: "github", uid: "ada", fault: "a number"},
		{kind: "bitbucket-oauth2", uid: "ada", fault: "UUID in braces"},
		{kind: "microsoft-graph", uid: "ada@example.com", fault: "Graph"},
		// The rule of the kind applies under any name, and the rule of a refused
		// name under any kind.
		{kind: "google-oauth2", name: "mail", uid: "ada@gmail.com", want: authcore.ImportedNames{Issuer: google, FormerSubject: "ada@gmail.com"}},
		{kind: "azuread-oauth2", name: "staff", uid: "ada", fault: "UPN"},
		{kind: "oidc", name: "google-oauth2", uid: "Ada@gmail.com", fault: "use type google-oauth2"},
		{kind: "oidc", name: "google-oauth2", uid: "1", want: authcore.ImportedNames{Issuer: testIssuer, Subject: "1"}},
		{kind: "oidc", name: "staff", uid: "ada@gmail.com", want: authcore.ImportedNames{Issuer: testIssuer, Subject: "ada@gmail.com"}},
		{kind: "oidc", name: "keycloak", uid: "ada", fault: "preferred_username"},
		{kind: "oidc", name: "okta-openidconnect", uid: "ada", fault: "preferred_username"},
		{kind: "oidc", name: "staff", uid: "ada", want: authcore.ImportedNames{Issuer: testIssuer, Subject: "ada"}},
		{kind: "github", name: "mailru", uid: "1", fault: "e-mail address"},
	} {
		row := rowOf(t, test.kind)
		s := row.script(t)
		s.cfg.Kind = test.kind
		if test.name != "" {
			s.cfg.Name = test.name
		}
		got, err := s.provider().(authcore.Importer).ImportNames(test.uid, test.transferSub)
		if test.fault != "" {
			if err == nil || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("%s %s: ImportNames(%q) = %+v, %v; want %s", test.kind, test.name, test.uid, got, err, test.fault)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%s %s: ImportNames(%q) = %+v, %v; want %+v", test.kind, test.name, test.uid, got, err, test.want)
		}
	}
}

// TestUnlistedKind refuses a kind without a migration rule.
func TestUnlistedKind(t *testing.T) {
	if uidRuleOf("something new").refused == "" {
		t.Error("uidRuleOf() of an unlisted kind accepts a uid")
	}
	for _, kind := range Kinds() {
		if rule := uidRuleOf(kind); rule.refused == uidRuleOf("").refused {
			t.Errorf("%s has no rule", kind)
		}
	}
}

// FuzzImportNames checks that accepted names are valid subjects, and that a former
// subject of Google maps to itself.
func FuzzImportNames(f *testing.F) {
	for _, kind := range []string{"google-oauth2", "apple-id", "github", "oidc", "bitbucket-oauth2"} {
		f.Add(kind, "Ada@Gmail.com", "")
		f.Add(kind, "760417.e.1", "760417.e.1")
		f.Add(kind, "{d7dd0e2d-3994-4a50-a9ee-d260b6cefdab}", "")
		f.Add(kind, "1", "None")
	}
	f.Fuzz(func(t *testing.T, kind, uid, transferSub string) {
		s, found := findSpec(kind)
		if !found {
			t.Skip("there is no such kind")
		}
		names, err := (&provider{spec: s, cfg: Config{Name: "x"}, accounts: testIssuer}).ImportNames(uid, transferSub)
		if err != nil {
			if uid != "" && len(uid) > 40 && strings.Contains(err.Error(), uid) {
				t.Fatalf("ImportNames() failed with %v, which contains the uid", err)
			}
			return
		}
		if names.Subject == "" && names.FormerSubject == "" || names.Issuer != testIssuer {
			t.Fatalf("ImportNames(%q, %q) = %+v", uid, transferSub, names)
		}
		for _, subject := range []string{names.Subject, names.FormerSubject} {
			if subject != "" && !validSubject(subject) {
				t.Fatalf("ImportNames() returned the invalid subject %q", subject)
			}
		}
		if names.Subject != "" && names.Subject != uid {
			t.Fatalf("ImportNames(%q) = subject %q", uid, names.Subject)
		}
		if kind != "google-oauth2" || names.FormerSubject == "" {
			return
		}
		again, err := (&provider{spec: s, cfg: Config{Name: "x"}, accounts: testIssuer}).ImportNames(names.FormerSubject, "")
		if err != nil || again != names {
			t.Fatalf("ImportNames(%q) = %+v, and of that %+v, %v", uid, names, again, errors.Unwrap(err))
		}
	})
}

// TestRecognizedIssuers: the issuer of each login is recognized, and issuers of
// another configuration are not.
func TestRecognizedIssuers(t *testing.T) {
	forEach(t, func(t *testing.T, r *recorded) {
		s := r.script(t)
		profile, err := r.login(s)
		if err != nil {
			t.Fatalf("login() failed: %v", err)
		}
		recognizer := s.provider().(authcore.Recognizer)
		if !recognizer.Recognizes(profile.Issuer) {
			t.Errorf("Recognizes(%q) = false, want true", profile.Issuer)
		}
		for _, issuer := range []string{"https://elsewhere.example", "former " + profile.Issuer, "moved " + profile.Issuer} {
			if recognizer.Recognizes(issuer) {
				t.Errorf("Recognizes(%q) = true, want false", issuer)
			}
		}
	})
	const tenant, another = "72f988bf-86f1-41af-91ab-2d7cd011db47", "0d2bafab-fc1a-4a0b-b4b4-2c7a8a9f6a11"
	row := rowOf(t, "azuread-oauth2")
	row.cfg.Tenants = []string{tenant}
	recognizer := row.script(t).provider().(authcore.Recognizer)
	for issuer, want := range map[string]bool{
		"https://login.microsoftonline.com/" + tenant + "/v2.0":        true,
		"https://login.microsoftonline.com/" + another + "/v2.0":       false,
		"https://login.microsoftonline.com//v2.0":                      false,
		"https://login.microsoftonline.com/{tenantid}/v2.0":            false,
		"https://login.example.com/" + tenant + "/v2.0":                false,
		"https://login.microsoftonline.com/" + tenant:                  false,
		"former https://login.microsoftonline.com/" + tenant + "/v2.0": false,
	} {
		if got := recognizer.Recognizes(issuer); got != want {
			t.Errorf("Recognizes(%s) = %t", issuer, got)
		}
	}
}

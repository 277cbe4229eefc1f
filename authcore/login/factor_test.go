package login_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
)

func TestSecondFactor(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	first := f.loginAs("ann@example.com")
	if claims := f.claims(first); claims.ACR != "1" || !slices.Equal(claims.AMR, []string{"mail"}) {
		t.Errorf("claims of a login by mail have amr %v, acr %q; want mail, 1", claims.AMR, claims.ACR)
	}
	p, enrolled := f.enrol(first)
	if claims := f.claims(enrolled); claims.ACR != "2" || !slices.Equal(claims.AMR, []string{"mail", "totp"}) || claims.Session != f.claims(first).Session {
		t.Errorf("claims after the enrolment have amr %v, acr %q; want mail and totp, 2", claims.AMR, claims.ACR)
	}
	if len(p.codes) != 10 {
		t.Errorf("Confirm() returned %d recovery codes, want 10", len(p.codes))
	}
	sessions := len(f.sessions(enrolled))
	lacks := f.challenged("ann@example.com")
	if lacks.Challenge == "" || lacks.Enrol || !slices.Equal(lacks.Methods, []string{"totp", "recovery"}) {
		t.Errorf("missing factor = %+v, want a challenge for totp and recovery", lacks)
	}
	if now := len(f.sessions(enrolled)); now != sessions {
		t.Errorf("the first factor left %d sessions, want %d", now, sessions)
	}
	grant, err := f.bySecond(login.FactorLogin{Challenge: lacks.Challenge, Code: " " + p.code()[:3] + " " + p.code()[3:]})
	if err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	if claims := f.claims(grant.Grant); claims.ACR != "2" || !slices.Equal(claims.AMR, []string{"mail", "totp"}) || claims.Method != "link" {
		t.Errorf("claims = %+v, want those of two factors", claims)
	}
	again, err := f.Sessions.Refresh(t.Context(), f.claims(grant.Grant))
	if err != nil {
		t.Fatalf("Refresh() failed: %v", err)
	}
	if claims := f.claims(again); claims.ACR != "2" || !slices.Equal(claims.AMR, []string{"mail", "totp"}) {
		t.Errorf("a refresh changed amr to %v and acr to %q", claims.AMR, claims.ACR)
	}
	grant, err = f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, RecoveryCode: strings.ToUpper(p.codes[3])})
	if err != nil || !slices.Equal(f.claims(grant.Grant).AMR, []string{"mail", "recovery"}) {
		t.Errorf("BySecondFactor() with a recovery code = %v, %v; want amr mail and recovery", grant.Session.AMR, err)
	}
	if n := f.events.count(authcore.EventFactorAdded); n != 1 {
		t.Errorf("%d factor_added events, want 1", n)
	}
}

// Every method leads to the challenge: link, code, provider and a new account.
func TestSecondFactorOfEveryMethod(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	for name, first := range map[string]func() error{
		"link": func() error { _, err := f.byLink(tokenOf(f.mail("ann@example.com"))); return err },
		"code": func() error {
			id, mail := f.request("ann@example.com")
			_, err := f.byCode(id, mail.Code)
			return err
		},
		"github": func() error { _, err := f.social(verified("42", "ann@example.com")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			f.clock.Advance(time.Minute)
			lacks := missing(t, first())
			grant, err := f.bySecond(login.FactorLogin{Challenge: lacks.Challenge, Code: p.code()})
			if err != nil || grant.Session.Method != name {
				t.Errorf("BySecondFactor() = method %q, %v; want %s", grant.Session.Method, err, name)
			}
		})
	}
}

// The identity of a social login joins an account when the login is complete: one factor
// changes no account.
func TestSecondFactorBeforeLinkingByAddress(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, ann := f.enrol(f.loginAs("ann@example.com"))
	_, err := f.social(verified("42", "ann@example.com"))
	lacks := missing(t, err)
	if identities := f.identities(ann); len(identities) != 0 {
		t.Errorf("the first factor added %v, want nothing", identities)
	}
	if _, err := f.bySecond(login.FactorLogin{Challenge: lacks.Challenge, Code: p.code()}); err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	if identities := f.identities(ann); len(identities) != 1 {
		t.Errorf("identities = %v, want one", identities)
	}
}

func TestRequiredSecondFactor(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorRequired))
	_, err := f.social(verified("42", "ann@example.com"))
	lacks := missing(t, err)
	if !lacks.Enrol || len(lacks.Methods) != 0 {
		t.Fatalf("missing factor = %+v, want an enrolment", lacks)
	}
	begun, err := f.Logins.BeginEnrolment(t.Context(), lacks.Challenge)
	if err != nil {
		t.Fatalf("BeginEnrolment() failed: %v", err)
	}
	if shown, err := f.Logins.ShowEnrolment(t.Context(), lacks.Challenge, begun.Sealed); err != nil || shown.Secret != begun.Secret {
		t.Errorf("ShowEnrolment() = %v, want the same secret", err)
	}
	p := &phone{f: f, secret: begun.Secret}
	_, err = f.bySecond(login.FactorLogin{Challenge: lacks.Challenge, Enrolment: begun.Sealed, Code: wrong(p.code())})
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	grant, err := f.bySecond(login.FactorLogin{Challenge: lacks.Challenge, Enrolment: begun.Sealed, Code: p.code()})
	if err != nil || !grant.IsNew || len(grant.RecoveryCodes) != 10 || grant.Session.ACR != "2" {
		t.Fatalf("BySecondFactor() = %+v, %v; want a new account with two factors", grant, err)
	}
	err = f.Factors.Remove(t.Context(), f.claims(grant.Grant), "totp", caller)
	wantCode(t, err, 409, authcore.CodeLastFactor)
	f.clock.Advance(time.Minute)
	if lacks := f.challenged("ann@example.com"); lacks.Enrol {
		t.Error("the second login asks for an enrolment, want the code")
	}
	if err := f.Factors.RemoveFor(t.Context(), grant.User.ID, "totp", ""); err != nil {
		t.Fatalf("RemoveFor() failed: %v", err)
	}
	if _, err := f.authenticate(grant.Grant); err == nil {
		t.Error("a session outlasts the removal of a lost factor by an operator")
	}
	if lacks := f.challenged("ann@example.com"); !lacks.Enrol {
		t.Error("the login after the removal asks for a code, want an enrolment")
	}
}

func TestRequiredForRoles(t *testing.T) {
	f := newFixture(t, func(cfg *realm.Config) {
		withFactors(account.SecondFactorRequired)(cfg)
		cfg.Rules.SecondFactorRoles = []string{"admin"}
	})
	ann := f.loginAs("ann@example.com")
	if _, err := f.store.UpdateAccount(t.Context(), ann.User.ID, f.clock.Now(), func(a *authcore.Account) error {
		a.User.Granted, a.User.Roles = []string{"admin"}, []string{"admin"}
		return nil
	}); err != nil {
		t.Fatalf("UpdateAccount() failed: %v", err)
	}
	_, err := f.Sessions.Refresh(t.Context(), f.claims(ann))
	wantCode(t, err, 401, authcore.CodeInvalidToken)
	if lacks := f.challenged("ann@example.com"); !lacks.Enrol {
		t.Error("an administrator logs in without an enrolment")
	}
	f.loginAs("bob@example.com")
}

func TestSensitiveCallsNeedTheSecondFactor(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, _ := f.enrol(f.loginAs("ann@example.com"))
	grant, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code(), Remember: true})
	if err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	weak, err := f.byLinkOn(grant.Device, "ann@example.com")
	if err != nil {
		t.Fatalf("ByLink() failed: %v", err)
	}
	ctx, claims := t.Context(), f.claims(weak)
	_, changing := f.Logins.RequestEmailChange(ctx, login.EmailChangeRequest{Claims: claims, Email: "new@example.com", Caller: caller})
	_, linking := f.link(weak, verified("7", "other@example.com"))
	_, codes := f.Factors.NewRecoveryCodes(ctx, claims, caller)
	for call, err := range map[string]error{
		"RequestEmailChange": changing, "Social with LinkTo": linking, "NewRecoveryCodes": codes,
		"DeleteCurrentUser": f.Accounts.DeleteCurrentUser(ctx, claims, caller),
		"Remove":            f.Factors.Remove(ctx, claims, "totp", caller),
	} {
		t.Run(call, func(t *testing.T) { missing(t, err) })
	}
	linked, err := f.link(grant.Grant, verified("7", "other@example.com"))
	if err != nil || f.claims(linked).ACR != "2" {
		t.Errorf("Social() with LinkTo and two factors = %+v, %v; want a session of two factors", linked.Session, err)
	}
}

func TestRemoveFactor(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	first := f.loginAs("ann@example.com")
	other := f.loginAs("ann@example.com")
	p, ann := f.enrol(first)
	if _, err := f.authenticate(other); err == nil {
		t.Error("a session of before the enrolment is valid after it")
	}
	codes, err := f.Factors.NewRecoveryCodes(t.Context(), f.claims(ann), caller)
	if err != nil || len(codes) != 10 || slices.Contains(codes, p.codes[0]) {
		t.Fatalf("NewRecoveryCodes() = %v, %v; want ten new ones", codes, err)
	}
	_, err = f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, RecoveryCode: p.codes[0]})
	wantCode(t, err, 400, authcore.CodeInvalidCode)
	if err := f.Factors.Remove(t.Context(), f.claims(ann), "totp", caller); err != nil {
		t.Fatalf("Remove() failed: %v", err)
	}
	again, err := f.Sessions.Refresh(t.Context(), f.claims(ann))
	if err != nil || f.claims(again).ACR != "1" || slices.Contains(f.claims(again).AMR, "totp") {
		t.Errorf("Refresh() after the removal = %+v, %v; want one factor", again.Session, err)
	}
	if next := f.loginAs("ann@example.com"); next.Session.ACR != "1" {
		t.Errorf("a login after the removal has acr %q, want 1", next.Session.ACR)
	}
	for _, kind := range []string{"totp", "recovery"} {
		if records, _, err := f.store.ListRecords(t.Context(), authcore.RecordFilter{Kind: kind, Owner: ann.User.ID}, f.clock.Now(), ""); err != nil || len(records) != 0 {
			t.Errorf("%d %s records are left (%v), want none", len(records), kind, err)
		}
	}
}

func TestFactorsSwitchedOff(t *testing.T) {
	f := newFixture(t, nil)
	ann := f.loginAs("ann@example.com")
	_, err := f.Factors.Begin(t.Context(), f.claims(ann))
	wantCode(t, err, 404, authcore.CodeNotFound)
	_, err = f.Factors.List(t.Context(), f.claims(ann))
	wantCode(t, err, 404, authcore.CodeNotFound)
}

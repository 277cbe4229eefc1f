package login_test

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/session"
)

func TestRememberedDevice(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, ann := f.enrol(f.loginAs("ann@example.com"))
	grant, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code(), Remember: true})
	if err != nil || grant.Device == "" {
		t.Fatalf("BySecondFactor() = device %q, %v; want one", grant.Device, err)
	}
	remembered, err := f.byLinkOn(grant.Device, "ann@example.com")
	if err != nil || remembered.Session.ACR != "1" || !remembered.Session.Device {
		t.Fatalf("ByLink() on the device = %+v, %v; want a session of one factor", remembered.Session, err)
	}
	if _, err := f.Sessions.Refresh(t.Context(), f.claims(remembered)); err != nil {
		t.Errorf("Refresh() of a session on the device failed: %v", err)
	}
	_, err = f.Factors.Begin(t.Context(), f.claims(remembered))
	missing(t, err)
	f.clock.Advance(time.Minute)
	verified, err := f.Factors.Verify(t.Context(), f.claims(remembered), factor.Proof{Code: p.code(), Caller: caller})
	if err != nil || f.claims(verified).ACR != "2" || f.claims(verified).AuthTime != f.claims(remembered).AuthTime {
		t.Fatalf("Verify() = %+v, %v; want two factors and the same time of login", verified.Session, err)
	}
	overview, err := f.Factors.List(t.Context(), f.claims(verified))
	if err != nil || overview.TOTP == nil || overview.RecoveryLeft != 10 || len(overview.Devices) != 1 {
		t.Errorf("List() = %+v, %v; want an application, ten codes, one device", overview, err)
	}
	if err := f.Sessions.Logout(t.Context(), f.claims(ann), true); err != nil {
		t.Fatalf("Logout() failed: %v", err)
	}
	_, err = f.byLinkOn(grant.Device, "ann@example.com")
	missing(t, err)
}

// byLinkOn logs in by link on a remembered device.
func (f *fixture) byLinkOn(device, email string) (session.Grant, error) {
	f.t.Helper()
	from := caller
	from.Devices = []string{device}
	return f.Logins.ByLink(f.t.Context(), login.LinkLogin{Token: tokenOf(f.mail(email)), ClientKey: clientKey, Caller: from})
}

func TestForgetDevice(t *testing.T) {
	f := newFixture(t, withFactors(account.SecondFactorOptional))
	p, ann := f.enrol(f.loginAs("ann@example.com"))
	grant, err := f.bySecond(login.FactorLogin{Challenge: f.challenged("ann@example.com").Challenge, Code: p.code(), Remember: true})
	if err != nil {
		t.Fatalf("BySecondFactor() failed: %v", err)
	}
	wantCode(t, f.Factors.ForgetDevice(t.Context(), f.claims(ann), "x"), 404, authcore.CodeNotFound)
	if err := f.Factors.ForgetDevice(t.Context(), f.claims(ann), ""); err != nil {
		t.Fatalf("ForgetDevice() failed: %v", err)
	}
	_, err = f.byLinkOn(grant.Device, "ann@example.com")
	missing(t, err)
}

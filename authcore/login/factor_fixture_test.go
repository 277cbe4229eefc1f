package login_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// withFactors configures second factors: optional, or required if required is set.
func withFactors(mode string) func(*realm.Config) {
	return func(cfg *realm.Config) {
		cfg.Rules.SecondFactor, cfg.RememberDevice = mode, 30*24*time.Hour
		cfg.Limits.FactorPerUser.N, cfg.Limits.FactorPerUser.Window = 5, 15*time.Minute
	}
}

// phone is an authenticator application.
type phone struct {
	f      *fixture
	secret string
	codes  []string // recovery codes
}

// code returns the code of the present time.
func (p *phone) code() string { return p.codeAt(0) }

func (p *phone) codeAt(offset time.Duration) string {
	p.f.t.Helper()
	code, err := totp.GenerateCode(p.secret, p.f.clock.Now().Add(offset))
	if err != nil {
		p.f.t.Fatalf("totp.GenerateCode() failed: %v", err)
	}
	return code
}

// enrol adds an application to the user of a session, and returns a token of the session
// that proved it. The next code is fresh.
func (f *fixture) enrol(grant session.Grant) (*phone, session.Grant) {
	f.t.Helper()
	begun, err := f.Factors.Begin(f.t.Context(), f.claims(grant))
	if err != nil {
		f.t.Fatalf("Begin() failed: %v", err)
	}
	p := &phone{f: f, secret: begun.Secret}
	again, codes, err := f.Factors.Confirm(f.t.Context(), f.claims(grant), begun.Sealed, p.code(), caller)
	if err != nil {
		f.t.Fatalf("Confirm() failed: %v", err)
	}
	p.codes = codes
	f.clock.Advance(time.Minute)
	return p, again
}

// challenged returns what a login of the address lacks.
func (f *fixture) challenged(email string) *authcore.MissingFactor {
	f.t.Helper()
	_, err := f.byLink(tokenOf(f.mail(email)))
	return missing(f.t, err)
}

func missing(t *testing.T, err error) *authcore.MissingFactor {
	t.Helper()
	wantCode(t, err, 403, authcore.CodeSecondFactorRequired)
	public, _ := errors.AsType[*authcore.Error](err)
	if public.Missing == nil {
		t.Fatalf("error %v describes no missing factor", err)
	}
	return public.Missing
}

func (f *fixture) bySecond(r login.FactorLogin) (login.FactorGrant, error) {
	r.Caller = caller
	return f.Logins.BySecondFactor(f.t.Context(), r)
}

func (f *fixture) sessions(of session.Grant) []authcore.Session {
	f.t.Helper()
	sessions, err := f.Sessions.List(f.t.Context(), f.claims(of))
	if err != nil {
		f.t.Fatalf("List() failed: %v", err)
	}
	return sessions
}

func wrong(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

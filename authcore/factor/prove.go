package factor

import (
	"context"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// dayFactor is the number of times that the budget of wrong codes can be used up within
// a day. Three codes are valid at a time, so that guessing on all days of a year succeeds
// with a probability of 3 %.
const dayFactor = 6

// Proof contains one of the codes that prove a second factor.
type Proof struct {
	// Code is that of the authenticator application, RecoveryCode one of the recovery
	// codes. Both as the user typed them.
	Code, RecoveryCode string
	Caller             authcore.Caller
}

// Use accepts the code of a proof once and returns the method as a value of the claim
// amr. Wrong codes count in a budget of the user. Callers have checked the first factor,
// so that no stranger can use it up.
func (s *Service) Use(ctx context.Context, user authcore.User, p Proof) (method string, err error) {
	method, use := authcore.FactorRecovery, func() error { return s.useRecovery(ctx, user, p.RecoveryCode) }
	if p.RecoveryCode == "" {
		code, ok := authcore.ParseCode(p.Code)
		if !ok {
			return "", authcore.FieldError(authcore.CodeInvalidRequest, "code", "Enter the six digits of the code.")
		}
		method, use = authcore.FactorTOTP, func() error { return s.useTOTP(ctx, user, code) }
	}
	rate := s.cfg.Limits.FactorPerUser
	checks := append(ratelimit.Parties("factor-ip", p.Caller.IP, s.cfg.Limits.CodePerIP),
		ratelimit.Check{Name: "factor-user", Party: user.ID, Rate: rate},
		ratelimit.Check{Name: "factor-user-day", Party: user.ID, Rate: ratelimit.Rate{N: rate.N * dayFactor, Window: 24 * time.Hour}})
	if err := s.cfg.Limiter.DoFailures(ctx, checks, use); err != nil {
		public := authcore.StoreError(err, authcore.Inactive())
		if public.Code == authcore.CodeInvalidCode { // the budget limits these
			s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventFactorFailed, Method: method, UserID: user.ID, Code: public.Code})
		}
		return "", public
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventFactorProven, Method: method, UserID: user.ID})
	if method == authcore.FactorRecovery {
		s.cfg.Notices.Send(ctx, user, account.Notice{Kind: authcore.MailRecoveryUsed, Caller: p.Caller})
	}
	return method, nil
}

// Verify adds a second factor to the session of a token and returns a new token of it.
// The time of the login stays the same.
func (s *Service) Verify(ctx context.Context, claims *gate.Claims, p Proof) (session.Grant, error) {
	user, err := s.user(ctx, claims)
	if err != nil {
		return session.Grant{}, err
	}
	method, err := s.Use(ctx, user, p)
	if err != nil {
		return session.Grant{}, err
	}
	return s.cfg.Sessions.Replace(ctx, claims, func(a *authcore.Account, current *authcore.Session) error {
		// The factor may have been removed since it was used.
		if !slices.Contains(account.FactorMethods(a.User), method) {
			return invalidCode()
		}
		session.Prove(current, method)
		return nil
	})
}

// user returns the user of a token, unless the realm offers no second factor.
func (s *Service) user(ctx context.Context, claims *gate.Claims) (authcore.User, error) {
	if !s.Offered() {
		return authcore.User{}, authcore.NotFound()
	}
	return account.CurrentUser(ctx, s.store, claims)
}

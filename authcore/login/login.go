package login

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// method is an authentication method. A value is one login with it.
type method interface {
	// admit checks the request against the configuration, before it is counted.
	admit(a *attempt) error
	// guesses returns the budgets that a failed attempt counts in.
	guesses(ctx context.Context, a *attempt) ([]ratelimit.Check, error)
	// prove checks the credentials and returns what the login step needs. It may
	// return the store's ErrNotFound; see conflict.
	prove(ctx context.Context, a *attempt) (proof, error)
	// conflict handles ErrNotFound, ErrExists, ErrTaken and ErrProofFailed of the
	// store: it returns the public error, or the login that a repeated request had
	// before.
	conflict(ctx context.Context, a *attempt, err error) (session.Grant, error)
}

// attempt is a login in progress.
type attempt struct {
	// method names the method in sessions and events; "" until it is known.
	method    string
	clientKey string
	caller    authcore.Caller
	// client is nil until the client key was checked.
	client *authcore.Client
	// pending is set if the login lacks a second factor.
	pending *authcore.MissingFactor
}

// proof is the result of method.prove.
type proof struct {
	// record is the record that the login uses up, or the zero key.
	record authcore.RecordKey
	// claims returns the values that the login uses up. It may be nil.
	claims func(authcore.Session) []authcore.Record
	// refs select the accounts that decide receives.
	refs []authcore.UserRef
	// decide selects the account. It is called within the store's step, perhaps more
	// than once.
	decide func(authcore.LoginFound) (decision, error)
	// factor is the second factor that was proven, as a value of the claim amr; or "".
	factor string
	// by is the token of the user who adds a login; nil for a login.
	by *gate.Claims
}

// decision is the account that a login leads to.
type decision struct {
	account authcore.Account
	isNew   bool
	// identity is the PublicID of the identity that logs in, or "".
	identity string
	// added reports that the identity is new in an existing account.
	added bool
	// by is the candidate of a social login; nil for the other methods.
	by *candidate
	// invited are the roles of an invitation that the login uses up.
	invited []string
}

// notice returns the kind of the mail that tells the owner of an existing account about
// the login, or false. A login through another method is one through which none of
// the live sessions began.
func (d *decision) notice(method string) (authcore.MailKind, bool) {
	sameMethod := func(begun authcore.Session) bool {
		return begun.Method == method || isByMail(begun.Method) && isByMail(method)
	}
	switch {
	case d.isNew:
		return "", false
	case d.added:
		return authcore.MailLinked, true
	default:
		return authcore.MailNewLogin, len(d.account.Sessions) > 0 && !slices.ContainsFunc(d.account.Sessions, sameMethod)
	}
}

func isByMail(method string) bool { return method == MethodLink || method == MethodCode }

// login runs a method. All logins pass here, so that none fails unobserved, not even
// by a panic of a provider.
func (s *Service) login(ctx context.Context, a *attempt, m method) (session.Grant, error) {
	failure := authcore.CodeUnavailable
	ctx, traced := s.cfg.Trace(ctx, authcore.EventLogin)
	defer func() {
		event := a.event(authcore.EventLogin)
		if failure != "" {
			event = a.event(authcore.EventLoginFailed)
			event.Code = failure
			s.cfg.Observe(ctx, event)
		}
		traced(event)
	}()
	grant, err := s.try(ctx, a, m)
	if err != nil {
		public := authcore.Unavailable(err)
		failure = public.Code
		return session.Grant{}, public
	}
	failure = ""
	if a.pending != nil {
		return session.Grant{}, account.FactorRequired(a.pending)
	}
	return grant, nil
}

// event returns an event about the attempt, without its user.
func (a *attempt) event(name authcore.EventName) authcore.Event {
	event := authcore.Event{Name: name, Method: a.method}
	if a.client != nil {
		event.Client = a.client.Name
	}
	return event
}

// try admits the request and counts it, before it proves anything.
func (s *Service) try(ctx context.Context, a *attempt, m method) (grant session.Grant, err error) {
	if a.client, err = s.clients.Find(a.clientKey); err != nil {
		return session.Grant{}, err
	}
	if err := m.admit(a); err != nil {
		return session.Grant{}, err
	}
	checks := ratelimit.Parties("login-ip", a.caller.IP, s.cfg.Limits.LoginPerIP)
	err = s.cfg.Limiter.Do(ctx, checks, func() error {
		guesses, err := m.guesses(ctx, a)
		if err != nil {
			return err
		}
		return s.cfg.Limiter.DoFailures(ctx, guesses, func() (err error) {
			grant, err = s.prove(ctx, a, m)
			return err
		})
	})
	return grant, err
}

func (s *Service) prove(ctx context.Context, a *attempt, m method) (session.Grant, error) {
	proven, err := m.prove(ctx, a)
	if err == nil {
		var grant session.Grant
		if grant, err = s.enter(ctx, a, proven); err == nil {
			return grant, nil
		}
	}
	for _, expected := range []error{authcore.ErrNotFound, authcore.ErrExists, authcore.ErrTaken, authcore.ErrProofFailed} {
		if errors.Is(err, expected) {
			return m.conflict(ctx, a, err)
		}
	}
	return session.Grant{}, err
}

// enter performs the login as one step of the store: it uses up the proof, finds
// or creates the account and starts the session.
func (s *Service) enter(ctx context.Context, a *attempt, p proof) (session.Grant, error) {
	begun := s.cfg.Sessions.Begin(a.client, a.method, a.caller)
	devices, err := s.cfg.Factors.Devices(ctx, a.caller.Devices)
	if err != nil {
		return session.Grant{}, err
	}
	p.count(&begun)
	var (
		entered decision
		kind    authcore.MailKind
		tell    bool
		need    account.FactorNeed
		// rolesChanged reports that an account that existed has other roles now.
		rolesChanged bool
	)
	step := authcore.LoginStep{Now: s.cfg.Now(), Proof: p.record, Refs: p.refs, Decide: func(found authcore.LoginFound) (authcore.Account, error) {
		before := loaded(found)
		d, err := p.decide(found)
		if err != nil {
			return authcore.Account{}, err
		}
		if d.account.User.Disabled {
			return authcore.Account{}, authcore.Inactive()
		}
		if d.isNew && d.account.User.Created.IsZero() {
			d.account.User.Created = begun.Created // see byMail.repeated
		}
		s.cfg.Rules.UpdateRoles(&d.account, begun.Created) // which may require a second factor
		entered = d
		if need = s.need(&begun, p, d.account.User, devices); need != account.FactorNotNeeded {
			// One factor changes no account that exists.
			if known, exists := before[d.account.User.ID]; exists {
				entered.account.Revocations = nil // which are not stored
				return known, nil
			}
			return d.account, nil
		}
		known, exists := before[d.account.User.ID]
		rolesChanged = exists && !slices.Equal(known.User.Roles, d.account.User.Roles)
		d.account.User.LastLogin = begun.Created
		begun.Identity = d.identity
		kind, tell = d.notice(a.method)
		d.account.Start(begun, s.cfg.Sessions.MaxSessions())
		entered = d
		return d.account, nil
	}}
	if p.claims != nil {
		step.Claims = p.claims(begun)
	}
	stored, err := s.store.Login(ctx, step)
	if err != nil {
		return session.Grant{}, err
	}
	s.cfg.Sessions.Applied(entered.account.Revocations)
	if need != account.FactorNotNeeded {
		a.pending, err = s.challenge(ctx, a, stored.User, &entered, need)
		return session.Grant{}, err
	}
	begun.UserID = stored.User.ID
	grant, err := s.cfg.Sessions.Grant(stored.User, begun, entered.isNew)
	if err != nil {
		return session.Grant{}, err
	}
	s.observe(ctx, a, grant)
	if rolesChanged {
		s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventRolesChanged, UserID: stored.User.ID, Detail: strings.Join(stored.User.Roles, " ")})
	}
	if tell {
		s.cfg.Notices.Send(ctx, grant.User, account.Notice{Kind: kind, Method: a.method, Client: a.client.Name, Caller: a.caller})
	}
	return grant, nil
}

// loaded returns copies of the accounts of a step, by user.
func loaded(found authcore.LoginFound) map[string]authcore.Account {
	accounts := map[string]authcore.Account{}
	for _, known := range found.Accounts {
		if known.User.ID != "" {
			accounts[known.User.ID] = known.Clone()
		}
	}
	return accounts
}

func signupClosed() *authcore.Error {
	return authcore.NewError(http.StatusForbidden, authcore.CodeSignupClosed, "Signing up is not open for this account.")
}

func (s *Service) observe(ctx context.Context, a *attempt, grant session.Grant) {
	event := a.event(authcore.EventLogin)
	event.UserID, event.SessionID = grant.User.ID, grant.Session.ID
	event.Email = authcore.PrivateText(grant.User.Email)
	if grant.IsNew {
		signup := event
		signup.Name = authcore.EventSignup
		s.cfg.Observe(ctx, signup)
	}
	s.cfg.Observe(ctx, event)
}

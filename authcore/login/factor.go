package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// A login with one factor that does not suffice uses up its proof and begins no session.
// It returns a challenge: a sealed statement of what was proven. The login continues with
// the challenge and a second factor, which is another run of the same pipeline, so that
// every method, frontend and page passes the same check. Nothing is stored until a
// challenge is used.

const (
	// challengePurpose separates challenges from other sealed texts.
	challengePurpose = "second factor"
	// challengeLifetime is the time that a user has to enter a code, or to set an
	// application up.
	challengeLifetime = 10 * time.Minute
	// challengeKind is the kind of the records of used challenges.
	challengeKind = "challenge"
)

// challenge is the content of a challenge.
type challenge struct {
	User   string `json:"user"`
	Client string `json:"client"`
	// Method is that of the session to begin.
	Method string `json:"method"`
	// Social is the identity of a social login; nil for the other methods.
	Social *socialFactor `json:"social,omitempty"`
	// IsNew and Added are those of the decision.
	IsNew bool `json:"is_new,omitempty"`
	Added bool `json:"added,omitempty"`
	// Invited are the roles of an invitation that the first factor used up.
	Invited []string `json:"invited,omitempty"`
	// Enrol allows the user to add a factor. It is not set for users who have one.
	Enrol   bool   `json:"enrol,omitempty"`
	Expires int64  `json:"expires"`
	Nonce   string `json:"nonce"`
}

// socialFactor is a candidate whose account is known. The account gets the identity when
// the login is complete.
type socialFactor struct {
	Identity       authcore.Identity `json:"identity"`
	Former         string            `json:"former,omitempty"`
	UnprovenFormer string            `json:"unproven_former,omitempty"`
}

// count adds what the proof is worth to a session.
func (p *proof) count(begun *authcore.Session) {
	switch {
	case p.by != nil:
		begun.ACR = p.by.ACR
		for _, method := range p.by.AMR {
			if !slices.Contains(begun.AMR, method) {
				begun.AMR = append(begun.AMR, method)
			}
		}
	case p.factor != "":
		session.Prove(begun, p.factor)
	}
}

// need returns what the login lacks. A user who adds a login to the account is signed in
// already, which candidate.link checked.
func (s *Service) need(begun *authcore.Session, p proof, user authcore.User, devices []factor.Device) account.FactorNeed {
	need := s.cfg.Rules.FactorNeed(user)
	switch {
	case p.by != nil || begun.ACR == session.TwoFactors:
		return account.FactorNotNeeded
	case need == account.FactorProof && slices.ContainsFunc(devices, func(d factor.Device) bool { return d.Replaces(user) }):
		begun.Device = true
		return account.FactorNotNeeded
	}
	begun.Device = false
	return need
}

// challenge returns the challenge of a login.
func (s *Service) challenge(ctx context.Context, a *attempt, user authcore.User, entered *decision, need account.FactorNeed) (*authcore.MissingFactor, error) {
	missing := &authcore.MissingFactor{
		Methods: account.FactorMethods(user), Enrol: need == account.FactorEnrolment, ExpiresIn: challengeLifetime,
		RememberFor: s.cfg.Factors.Remembers(),
	}
	if s.hasPasskey(user) {
		missing.Enrol, missing.Methods = false, append(missing.Methods, MethodPasskey)
	}
	content := challenge{
		User: user.ID, Client: a.client.Name, Method: a.method, IsNew: entered.isNew, Added: entered.added, Invited: entered.invited,
		Enrol: missing.Enrol, Expires: s.cfg.Now().Add(challengeLifetime).Unix(), Nonce: authcore.RandomSecret(),
	}
	if c := entered.by; c != nil {
		content.Social = &socialFactor{Identity: c.identity, Former: c.former, UnprovenFormer: c.unprovenFormer}
	}
	data, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	if missing.Challenge, err = s.cfg.Keys.Seal(challengePurpose, data); err != nil {
		return nil, err
	}
	s.cfg.Observe(ctx, authcore.Event{Name: authcore.EventFactorAsked, Method: a.method, Client: a.client.Name, UserID: user.ID})
	return missing, nil
}

// hasPasskey reports whether the user has a passkey, which proves two factors. A first
// factor alone must not add another second factor next to it.
func (s *Service) hasPasskey(user authcore.User) bool {
	return s.cfg.Passkeys != nil && len(user.Passkeys) > 0
}

// openChallenge returns the content of a challenge of this realm that has not expired.
func (s *Service) openChallenge(text string) (challenge, error) {
	data, err := s.cfg.Keys.Open(challengePurpose, authcore.Trim(text))
	if err != nil {
		return challenge{}, invalidChallenge()
	}
	var opened challenge
	if err := json.Unmarshal(data, &opened); err != nil || s.cfg.Now().Unix() >= opened.Expires {
		return challenge{}, invalidChallenge()
	}
	return opened, nil
}

// ClientOf returns the key of the client with which the login of a challenge began.
func (s *Service) ClientOf(challenge string) (key string, err error) {
	opened, err := s.openChallenge(challenge)
	if err != nil {
		return "", err
	}
	return s.clientNamed(opened.Client).Key, nil
}

func invalidChallenge() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeInvalidChallenge,
		"This sign-in has expired or is complete already. Please try again.")
}

// FactorLogin completes a login with a second factor.
type FactorLogin struct {
	// Challenge is that of the login.
	Challenge string
	// Code or RecoveryCode proves the factor. Or Credential does, the JSON form of a passkey
	// with the response of the authenticator.
	Code, RecoveryCode string
	Credential         []byte
	// Enrolment, if set, adds the application whose code is Code.
	Enrolment string
	// Remember asks to remember the device.
	Remember bool
	Caller   authcore.Caller
}

// FactorGrant is the result of a FactorLogin.
type FactorGrant struct {
	session.Grant
	// RecoveryCodes are new codes to show once, after an enrolment.
	RecoveryCodes []string
	// Device is the token of the remembered device, or "". It is a secret.
	Device string
}

// BeginEnrolment returns a secret for the application that the user of a challenge has to
// add.
func (s *Service) BeginEnrolment(ctx context.Context, text string) (factor.Enrolment, error) {
	user, err := s.enrolling(ctx, text)
	if err != nil {
		return factor.Enrolment{}, err
	}
	return s.cfg.Factors.Propose(user)
}

// ShowEnrolment describes a begun enrolment again.
func (s *Service) ShowEnrolment(ctx context.Context, text, sealed string) (factor.Enrolment, error) {
	user, err := s.enrolling(ctx, text)
	if err != nil {
		return factor.Enrolment{}, err
	}
	return s.cfg.Factors.Show(user, sealed)
}

// enrolling returns the user of a challenge, who has to add a factor.
func (s *Service) enrolling(ctx context.Context, text string) (authcore.User, error) {
	opened, err := s.openChallenge(text)
	if err != nil {
		return authcore.User{}, err
	}
	user, err := s.store.User(ctx, authcore.UserRef{ID: opened.User})
	switch {
	case errors.Is(err, authcore.ErrNotFound):
		return authcore.User{}, invalidChallenge()
	case err != nil:
		return authcore.User{}, authcore.Unavailable(err)
	case !opened.Enrol || s.cfg.Rules.FactorNeed(user) == account.FactorProof || s.hasPasskey(user):
		return authcore.User{}, invalidChallenge()
	}
	return user, nil
}

// BySecondFactor completes a login. A challenge completes one login; a wrong code leaves
// it usable.
func (s *Service) BySecondFactor(ctx context.Context, r FactorLogin) (FactorGrant, error) {
	opened, err := s.openChallenge(r.Challenge)
	if err != nil {
		return FactorGrant{}, err
	}
	client := s.clientNamed(opened.Client)
	m := &secondFactor{Service: s, FactorLogin: r, challenge: opened}
	grant, err := s.login(ctx, &attempt{method: opened.Method, clientKey: client.Key, caller: r.Caller}, m)
	if m.prepared != nil {
		s.cfg.Factors.Finish(ctx, m.prepared, m.user, err)
	}
	if err == nil && m.assertion != nil {
		grant, err = s.recordUse(ctx, grant, *m.assertion)
	}
	if err != nil {
		return FactorGrant{}, err
	}
	result := FactorGrant{Grant: grant}
	if m.prepared != nil {
		result.RecoveryCodes = m.prepared.RecoveryCodes
		s.cfg.Factors.Added(ctx, grant.User, client.Name, r.Caller)
	}
	if r.Remember {
		// The login has succeeded: a device that cannot be stored is asked again.
		result.Device, _ = s.cfg.Factors.Remember(ctx, grant.User, r.Caller)
	}
	return result, nil
}

package login

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/session"
)

// repeatWindow is the time in which a repeated request with a used link gets the
// same login again.
const repeatWindow = 10 * time.Second

// byMail is a login with the link or the code of a mail. Both are found by the
// request that caused the mail and share everything after their proof.
//
// A link that was requested by one client may be used by another: the keys of
// browser clients are public, so that a comparison would keep out no attacker, but
// would break sites whose mail opens in another frontend.
type byMail struct {
	*Service
	requestID []byte
	// secret of the link, or nil for a login by code.
	secret []byte
	code   string
	// userID is the ID of the account, if it is new.
	userID string

	// What guesses read: whether there is a link, its content and its address.
	found   bool
	link    linkData
	address authcore.Address
	// stopped reports that no code of the address is accepted at present.
	stopped bool
}

// ByLink logs in with the token of a mailed link or of an invitation. The client key is checked before
// the link is used.
func (s *Service) ByLink(ctx context.Context, r LinkLogin) (session.Grant, error) {
	m := &byMail{Service: s}
	a := &attempt{method: MethodLink, clientKey: r.ClientKey, caller: r.Caller}
	if m.requestID, m.secret = parseInvitation(authcore.Trim(r.Token)); m.requestID != nil {
		return s.login(ctx, a, &acceptance{m})
	}
	m.requestID, m.secret = parseToken(authcore.Trim(r.Token))
	return s.login(ctx, a, m)
}

// ByCode logs in with a mailed code. Five wrong codes end the code; the link of the
// same mail still works.
func (s *Service) ByCode(ctx context.Context, r CodeLogin) (session.Grant, error) {
	m := &byMail{Service: s, requestID: parseRequestID(authcore.Trim(r.RequestID)), code: r.Code}
	return s.login(ctx, &attempt{method: MethodCode, clientKey: r.ClientKey, caller: r.Caller}, m)
}

// admit normalizes the code. Text that cannot be a code costs no try.
func (m *byMail) admit(a *attempt) error {
	if a.method == MethodLink {
		return nil
	}
	code, ok := authcore.ParseCode(m.code)
	if !ok {
		return authcore.FieldError(authcore.CodeInvalidRequest, "code", "Enter the six digits of the code.")
	}
	m.code = code
	return nil
}

func (m *byMail) prove(ctx context.Context, a *attempt) (proof, error) {
	if m.requestID == nil {
		return proof{}, authcore.ErrNotFound
	}
	if a.method == MethodCode {
		return m.proveCode(a), nil
	}
	key := linkKey(m.requestID)
	// The address selects the account and is known only from the record. What is
	// read here is checked again in the step.
	record, err := m.store.Record(ctx, key, m.cfg.Now())
	if err != nil {
		return proof{}, err
	}
	link, address, err := decodeLink(record)
	if err != nil {
		return proof{}, err
	}
	if !link.matchesSecret(m.secret) {
		return proof{}, authcore.ErrNotFound
	}
	return m.proofOf(a, address), nil
}

// proofOf returns the step that logs in as the owner of the address.
func (m *byMail) proofOf(a *attempt, address authcore.Address) proof {
	m.userID = authcore.RandomID()
	return proof{
		record: linkKey(m.requestID),
		claims: func(begun authcore.Session) []authcore.Record { return m.spent(a, begun, address) },
		refs:   []authcore.UserRef{{EmailKey: address.Key()}},
		decide: m.decide,
	}
}

// decide checks the proof again and applies the rules for accounts.
func (m *byMail) decide(found authcore.LoginFound) (decision, error) {
	link, address, err := decodeLink(*found.Proof)
	if err != nil {
		return decision{}, err
	}
	matches := link.Tries < maxTries && link.matchesCode(m.requestID, m.code)
	if m.secret != nil {
		matches = link.matchesSecret(m.secret)
	}
	if !matches {
		return decision{}, authcore.ErrNotFound
	}
	if !m.cfg.Rules.Admits(account.Email{Address: address.String(), Verified: true}) {
		return decision{}, account.NotAdmitted()
	}
	if known := found.Accounts[0]; known.User.ID != "" {
		return decision{account: known}, nil
	}
	if !m.cfg.Rules.MaySignUp(address, true) {
		return decision{}, signupClosed()
	}
	user := authcore.User{ID: m.userID, Email: address.String(), EmailVerified: true}
	return decision{account: authcore.Account{User: user}, isNew: true}, nil
}

// conflict answers a link or code that is unknown, expired, used or wrong.
func (m *byMail) conflict(ctx context.Context, a *attempt, err error) (session.Grant, error) {
	if a.method == MethodCode {
		if !m.found && m.requestID != nil && errors.Is(err, authcore.ErrNotFound) {
			if err := m.putDecoy(ctx); err != nil {
				return session.Grant{}, err
			}
		}
		return session.Grant{}, invalidCode()
	}
	if errors.Is(err, authcore.ErrNotFound) || errors.Is(err, authcore.ErrExists) {
		grant, err := m.repeated(ctx, a)
		if !errors.Is(err, authcore.ErrNotFound) {
			return grant, err
		}
	}
	return session.Grant{}, invalidLink()
}

func invalidLink() *authcore.Error {
	return authcore.NewError(http.StatusBadRequest, authcore.CodeInvalidLink, "The link is invalid or has expired.")
}

// spentLink is the content of a "spent-link" record.
type spentLink struct {
	EmailKey  string `json:"email_key"`
	SessionID string `json:"session_id"`
}

// spentKey is the key of the "spent-link" record for this link, client and network
// address.
func (m *byMail) spentKey(a *attempt) authcore.RecordKey {
	digest := authcore.DigestOf("spent link", string(m.requestID), string(m.secret), a.client.Name, a.caller.IP.Unmap().String())
	return authcore.RecordKey{Kind: "spent-link", Key: digest.String()}
}

// spent remembers for a moment which session a link led to. Pages
// send the same request twice: the second one would otherwise report an invalid
// link to a user whose login succeeded.
func (m *byMail) spent(a *attempt, begun authcore.Session, address authcore.Address) []authcore.Record {
	if !m.repeatable(a) {
		return nil
	}
	data, err := json.Marshal(spentLink{EmailKey: address.Key(), SessionID: begun.ID})
	if err != nil {
		return nil // strings can be encoded
	}
	return []authcore.Record{{
		RecordKey: m.spentKey(a), Created: begun.Created, Expires: begun.Created.Add(repeatWindow), Data: data,
	}}
}

// repeatable reports whether a repeated request gets the same login: only one with a
// link from a page. Of several other requests with one link, one succeeds.
func (m *byMail) repeatable(a *attempt) bool {
	return m.secret != nil && a.caller.Browser && a.caller.IP.IsValid()
}

// repeated returns the login that the same client had with the same link a moment
// ago, or ErrNotFound.
func (m *byMail) repeated(ctx context.Context, a *attempt) (session.Grant, error) {
	if !m.repeatable(a) {
		return session.Grant{}, authcore.ErrNotFound
	}
	now := m.cfg.Now()
	record, err := m.store.Record(ctx, m.spentKey(a), now)
	if err != nil {
		return session.Grant{}, err
	}
	var spent spentLink
	if err := record.Decode(&spent); err != nil {
		return session.Grant{}, err
	}
	found, err := m.store.Account(ctx, authcore.UserRef{EmailKey: spent.EmailKey}, now)
	if err != nil {
		return session.Grant{}, err
	}
	for _, begun := range found.Sessions {
		if begun.ID == spent.SessionID {
			return m.cfg.Sessions.Grant(found.User, begun, found.User.Created.Equal(begun.Created))
		}
	}
	if need := m.cfg.Rules.FactorNeed(found.User); need != account.FactorNotNeeded {
		// The first request got a challenge, of which a page may have lost the answer.
		a.pending, err = m.challenge(ctx, a, found.User, &decision{}, need)
		return session.Grant{}, err
	}
	return session.Grant{}, authcore.ErrNotFound
}

// sameText compares two digests in constant time.
func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

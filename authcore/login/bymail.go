package authcore

import (
	"context"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// The purposes of digests, see DigestOf.
const (
	linkPurpose  = "link"
	codePurpose  = "code"
	statePurpose = "state"
)

// The methods of a login that are not the name of a provider.
const (
	MethodLink = "link"
	MethodCode = "code"
)

// finishTimeout bounds what is done in any case: for a login whose link is spent
// already, and to put out whoever used an identity that is being unlinked.
const finishTimeout = 10 * time.Second

var sixDigits = big.NewInt(1_000_000)

// LinkRequest asks for a mail with a login link.
type LinkRequest struct {
	Email string
	// ClientKey is optional; it selects the client's link template and limits.
	ClientKey string
	// Locale is the wished language of the mail as a BCP 47 tag; optional.
	Locale string
	Caller Caller
}

// LinkReceipt is the answer, the same for every address.
type LinkReceipt struct {
	ExpiresIn time.Duration
	// DebugLink is the link itself, only with Config.DebugLinks.
	DebugLink string
}

// RequestLink mails a login link to an address. What it does and how long it
// takes does not depend on whether the address belongs to anybody; the mail
// leaves later.
func (s *Service) RequestLink(ctx context.Context, r LinkRequest) (LinkReceipt, error) {
	address, err := ParseAddress(r.Email)
	if err != nil {
		return LinkReceipt{}, FieldError(CodeInvalidRequest, "email", "Enter a valid email address.")
	}
	client := &Client{}
	if r.ClientKey != "" {
		if client, err = s.clients.find(r.ClientKey); err != nil {
			return LinkReceipt{}, err
		}
	}
	if err := s.throttleLink(ctx, address, client, r.Caller); err != nil {
		return LinkReceipt{}, err
	}
	welcome, err := s.mayLogIn(ctx, address)
	if err != nil {
		return LinkReceipt{}, err
	}
	link, err := s.mailLink(ctx, address, client, r.Locale, welcome)
	if err != nil {
		return LinkReceipt{}, err
	}
	s.cfg.Observe(Event{Name: EventLinkRequested, Method: MethodLink, Client: client.Name})
	receipt := LinkReceipt{ExpiresIn: s.cfg.LinkLifetime}
	if s.cfg.DebugLinks {
		receipt.DebugLink = link
	}
	return receipt, nil
}

// throttleLink counts a link request from the narrowest limit to the widest. One
// that is refused counts no further: otherwise a single caller who is over its
// own limit could use up what belongs to a mailbox, a client or everybody.
func (s *Service) throttleLink(ctx context.Context, address Address, client *Client, caller Caller) error {
	for _, l := range []limit{
		{"link-ip", party(caller.IP), s.cfg.Limits.LinkPerIP},
		{"link-address", address.MailboxKey(), s.cfg.Limits.LinkPerAddress},
		{"link-client", client.Name, s.cfg.Limits.LinkPerClient},
		{"link", "all", s.cfg.Limits.LinkOverall},
	} {
		if err := s.throttle(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// mayLogIn reports whether a link would let this address in. The caller goes on
// alike in both cases; only the mail is left out.
func (s *Service) mayLogIn(ctx context.Context, address Address) (bool, error) {
	rules := &s.cfg.Accounts
	admitted := rules.admits(claim{address.String(), true}) // the store is asked in any case: it takes as long
	user, err := s.store.UserByEmail(ctx, address.Key())
	switch {
	case err == nil:
		return admitted && !user.Disabled, nil
	case errors.Is(err, ErrNotFound):
		return admitted && rules.maySignUp(address, true), nil
	default:
		return false, unavailable(err)
	}
}

// mailLink makes a link, and has it mailed when it is welcome. The mail takes
// its place in the queue first: when there is none, the person's older link
// still works.
func (s *Service) mailLink(ctx context.Context, address Address, client *Client, locale string, welcome bool) (string, error) {
	secret, err := s.secret()
	if err != nil {
		return "", unavailable(err)
	}
	code, err := s.code()
	if err != nil {
		return "", unavailable(err)
	}
	template := s.cfg.EmailLink
	setIf(&template, client.EmailLink)
	setIf(&locale, client.Locale)
	link := strings.Replace(template, LinkPlaceholder, secret, 1)
	now := s.now()
	expires := now.Add(s.cfg.LinkLifetime)
	if s.cfg.Mailer != nil { // without one only with DebugLinks, see New
		err := s.cfg.Mailer.Enqueue(ctx, LinkMail{
			To: address.String(), Link: link, Code: code,
			Lifetime: s.cfg.LinkLifetime, Expires: expires,
			Client: client.Name, Locale: locale, Decoy: !welcome,
		})
		if err != nil {
			return "", unavailable(err)
		}
	}
	err = s.store.PutLink(ctx, Link{
		Secret: DigestOf(linkPurpose, secret),
		Code:   DigestOf(codePurpose, address.Key(), code),
		Email:  address.String(), EmailKey: address.Key(),
		Created: now, Expires: expires,
	})
	if err != nil {
		return "", unavailable(err)
	}
	return link, nil
}

// LinkLogin spends a mailed link.
type LinkLogin struct {
	Token     string
	ClientKey string
	Caller    Caller
}

// LoginByLink logs in whoever received the link. The client key is checked
// before the link is spent.
func (s *Service) LoginByLink(ctx context.Context, r LinkLogin) (Login, error) {
	client, err := s.admit(ctx, r.ClientKey, r.Caller)
	if err != nil {
		return s.failed(MethodLink, client, err)
	}
	link, err := s.store.TakeLink(ctx, DigestOf(linkPurpose, r.Token), s.now())
	switch {
	case errors.Is(err, ErrNotFound):
		return s.failed(MethodLink, client, &Error{
			Status: http.StatusBadRequest, Code: CodeInvalidLink,
			Detail: "The link is invalid or has expired.",
		})
	case err != nil:
		return s.failed(MethodLink, client, unavailable(err))
	}
	return s.loginByMail(ctx, link, MethodLink, client, r.Caller)
}

// CodeLogin spends the code that stands beside the link.
type CodeLogin struct {
	Email     string
	Code      string
	ClientKey string
	Caller    Caller
}

// LoginByCode logs in whoever read the code in the mail. MaxGuesses wrong ones
// end it.
func (s *Service) LoginByCode(ctx context.Context, r CodeLogin) (Login, error) {
	client, err := s.admit(ctx, r.ClientKey, r.Caller)
	if err != nil {
		return s.failed(MethodCode, client, err)
	}
	address, err := ParseAddress(r.Email)
	if err != nil {
		return s.failed(MethodCode, client, FieldError(CodeInvalidRequest, "email", "Enter a valid email address."))
	}
	code := strings.ReplaceAll(strings.TrimSpace(r.Code), " ", "")
	link, err := s.store.TakeCode(ctx, address.Key(), DigestOf(codePurpose, address.Key(), code), s.now())
	switch {
	case errors.Is(err, ErrNotFound):
		return s.failed(MethodCode, client, &Error{
			Status: http.StatusBadRequest, Code: CodeInvalidCode,
			Detail: "The code is invalid or has expired.",
		})
	case err != nil:
		return s.failed(MethodCode, client, unavailable(err))
	}
	return s.loginByMail(ctx, link, MethodCode, client, r.Caller)
}

// loginByMail logs in the holder of an address that was just proven. The link is
// spent: a caller who hangs up now must not be left with neither link nor login,
// so that the rest is done in any case, in bounded time.
func (s *Service) loginByMail(ctx context.Context, link Link, method string, client *Client, caller Caller) (Login, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	address, err := ParseAddress(link.Email)
	if err != nil {
		return s.failed(method, client, unavailable(err))
	}
	user, isNew, err := s.userByAddress(ctx, address)
	if err != nil {
		return s.failed(method, client, err)
	}
	return s.startSession(ctx, user, isNew, method, client, caller)
}

func (s *Service) userByAddress(ctx context.Context, address Address) (User, bool, error) {
	if !s.cfg.Accounts.admits(claim{address.String(), true}) {
		return User{}, false, notAdmitted()
	}
	user, err := s.store.UserByEmail(ctx, address.Key())
	if err == nil {
		return user, false, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return User{}, false, unavailable(err)
	}
	if !s.cfg.Accounts.maySignUp(address, true) {
		return User{}, false, signupClosed()
	}
	id, err := s.newID()
	if err != nil {
		return User{}, false, unavailable(err)
	}
	user, isNew, err := s.store.EnsureUser(ctx, User{
		ID: id, Email: address.String(), EmailVerified: true, Created: s.now(),
	})
	if err != nil {
		return User{}, false, unavailable(err)
	}
	return user, isNew, nil
}

func signupClosed() *Error {
	return &Error{Status: http.StatusForbidden, Code: CodeSignupClosed, Detail: "Signing up is not open for this account."}
}

func setIf(field *string, value string) {
	if value != "" {
		*field = value
	}
}

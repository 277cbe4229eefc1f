package login

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

// RequestLink mails a login link and a code to an address. The work and the time
// do not depend on whether the address has an account; mail is delivered later.
func (s *Service) RequestLink(ctx context.Context, r LinkRequest) (LinkReceipt, error) {
	ctx, traced := s.cfg.Trace(ctx, authcore.EventLinkRequested)
	event := authcore.Event{Name: authcore.EventLoginFailed, Method: MethodLink, Code: authcore.CodeUnavailable}
	defer func() { traced(event) }()
	receipt, client, err := s.acceptLink(ctx, r)
	if client != nil {
		event.Client = client.Name
	}
	if err != nil {
		public := authcore.Unavailable(err)
		event.Code = public.Code
		return LinkReceipt{}, public
	}
	event.Name, event.Code = authcore.EventLinkRequested, ""
	event.Email = authcore.PrivateText(authcore.Trim(r.Email))
	s.cfg.Observe(ctx, event)
	return receipt, nil
}

// acceptLink checks the request of a link, and serves it within the limits.
func (s *Service) acceptLink(ctx context.Context, r LinkRequest) (receipt LinkReceipt, client *authcore.Client, err error) {
	address, err := s.parseEmail(r.Email)
	if err != nil {
		return LinkReceipt{}, nil, err
	}
	client = &authcore.Client{}
	if r.ClientKey != "" {
		if client, err = s.clients.Find(r.ClientKey); err != nil {
			return LinkReceipt{}, nil, err
		}
	}
	if err := s.verifyCaptcha(ctx, r); err != nil {
		return LinkReceipt{}, client, err
	}
	over := false
	err = s.cfg.Limiter.Do(ctx, s.linkChecks(r, address, client, &over), func() (err error) {
		receipt, err = s.requestLink(ctx, address, client, r, over)
		return err
	})
	return receipt, client, err
}

// verifyCaptcha checks the response of the captcha, if one is required. A refused
// response uses up no budget of a mailbox or client; those of its network limit the
// calls of the service.
func (s *Service) verifyCaptcha(ctx context.Context, r LinkRequest) error {
	if s.cfg.Captcha == nil {
		return nil
	}
	if strings.TrimSpace(r.Captcha) == "" {
		return captcha.Required()
	}
	return s.cfg.Limiter.Do(ctx, ratelimit.Parties("captcha-ip", r.Caller.IP, s.cfg.Limits.LinkPerIP), func() error {
		return s.cfg.Captcha.Verify(ctx, r.Captcha, r.Caller.IP)
	})
}

// parseEmail parses an address as users type it. Its error is a field error that
// names the part that is not supported. Addresses of this machine are for development: in
// production their mail would go to the operator, for example to root@localhost.
func (s *Service) parseEmail(text string) (authcore.Address, error) {
	address, err := authcore.ParseAddress(authcore.Trim(text))
	message := "Enter a valid email address."
	switch {
	case errors.Is(err, authcore.ErrQuotedAddress):
		message = "Addresses with quotes before the @ are not supported."
	case errors.Is(err, authcore.ErrInternationalAddress):
		message = "Only letters from a to z, digits and common signs are supported before the @."
	case err == nil && (!isThisMachine(address.Domain()) || s.cfg.DebugLinks):
		return address, nil
	}
	return authcore.Address{}, authcore.FieldError(authcore.CodeInvalidRequest, "email", message)
}

// isThisMachine reports whether mail servers deliver mail for a domain to themselves: the
// names of the loopback interface, and those in the hosts file of Linux distributions.
func isThisMachine(domain string) bool {
	return authcore.IsLoopback(domain) || strings.HasSuffix("."+domain, ".localdomain")
}

// linkChecks returns the budgets of a link request. Those of the mailbox refuse no
// request, because third parties use them up too; over is set instead.
func (s *Service) linkChecks(r LinkRequest, address authcore.Address, client *authcore.Client, over *bool) []ratelimit.Check {
	limits, mailbox := s.cfg.Limits, address.MailboxKey()
	party := "no client"
	if client.Name != "" {
		party = "client " + client.Name
	}
	rate := limits.LinkPerAddress
	return slices.Concat(
		ratelimit.Parties("link-ip", r.Caller.IP, limits.LinkPerIP),
		[]ratelimit.Check{
			{Name: "link-address-network", Party: mailNetwork(r.Caller.IP) + " " + mailbox, Rate: rate, Over: over},
			{Name: "link-address", Party: mailbox, Rate: ratelimit.Rate{N: 2 * rate.N, Window: rate.Window}, Over: over},
		},
		ratelimit.Shared("link-client", party, r.Caller.IP, limits.LinkPerClient),
		ratelimit.Shared("link", "all", r.Caller.IP, limits.LinkOverall),
	)
}

// mailNetwork returns the network that a mailbox's budget distinguishes: an IPv4
// address, or an IPv6 /48.
func mailNetwork(ip netip.Addr) string {
	if ip = ip.Unmap(); ip.Is6() {
		return ratelimit.Site(ip)
	}
	return ratelimit.Party(ip)
}

// requestLink mails a link, or does the same work without a mail. Over the budget
// of the mailbox, an address with a live link gets no other one: it has a mail, and
// a new link would displace it.
func (s *Service) requestLink(ctx context.Context, address authcore.Address, client *authcore.Client, r LinkRequest, over bool) (LinkReceipt, error) {
	known, welcome, err := s.mayLogIn(ctx, address)
	if err != nil {
		return LinkReceipt{}, err
	}
	if over {
		live, err := authcore.AllRecords(ctx, s.store, authcore.RecordFilter{Kind: linkKind, Owner: addressOwner(address)}, s.cfg.Now())
		if err != nil {
			return LinkReceipt{}, err
		}
		if len(live) > 0 {
			return LinkReceipt{RequestID: requestText(authcore.RandomBytes(requestIDLength)), ExpiresIn: s.cfg.LinkLifetime}, nil
		}
		reserved, err := s.reserved(ctx, address)
		if err != nil {
			return LinkReceipt{}, err
		}
		welcome = welcome && known && reserved
	}
	return s.mailLink(ctx, address, client, r, welcome)
}

// reserved counts a mail in the budget that the owner of an account has when third
// parties have used up that of the mailbox. They cannot use it up: it is counted
// only when the address has no live link, and after one mail the owner has to use
// or outlive that link.
func (s *Service) reserved(ctx context.Context, address authcore.Address) (bool, error) {
	var over bool
	err := s.cfg.Limiter.Charge(ctx, []ratelimit.Check{
		{Name: "link-owner", Party: address.Key(), Rate: s.cfg.Limits.LinkPerAddress, Over: &over},
	})
	return !over, err
}

// sampleUser is decoded for an address without an account. Stores decode the user that
// they find, which takes some microseconds (CWE-208).
const sampleUser = `{"id":"8d2f1c6e-7b54-4a0e-9c1d-2f3a4b5c6d7e","email":"ada@example.com","email_verified":true,` +
	`"first_name":"Ada","last_name":"Lovelace","created":"2026-01-02T15:04:05.123456789Z"}`

// mayLogIn reports whether the address has an account, and whether a link would let
// it log in. All results cost the same; only the mail is left out.
func (s *Service) mayLogIn(ctx context.Context, address authcore.Address) (known, welcome bool, err error) {
	admitted := s.cfg.Rules.Admits(account.Email{Address: address.String(), Verified: true})
	user, err := s.store.User(ctx, authcore.UserRef{EmailKey: address.Key()}) // even if not admitted: it takes as long
	switch {
	case err == nil:
		return true, admitted && !user.Disabled, nil
	case errors.Is(err, authcore.ErrNotFound):
		if err := json.Unmarshal([]byte(sampleUser), &user); err != nil {
			return false, false, err
		}
		return false, admitted && s.cfg.Rules.MaySignUp(address, true), nil
	default:
		return false, false, err
	}
}

// mailLink creates a link and mails it, or a decoy unless the address is welcome.
// The mail takes its place in the queue first: a full queue must not cost the user
// an older link.
func (s *Service) mailLink(ctx context.Context, address authcore.Address, client *authcore.Client, r LinkRequest, welcome bool) (LinkReceipt, error) {
	requestID := authcore.RandomBytes(requestIDLength)
	secret := authcore.RandomBytes(secretLength)
	code := authcore.RandomCode()
	data, err := json.Marshal(linkData{
		Email: address.String(), Secret: secretDigest(secret), Code: codeDigest(requestID, code),
		Page: pageOfLink(r, secret, code),
	})
	if err != nil {
		return LinkReceipt{}, err
	}
	now := s.cfg.Now()
	record := authcore.Record{
		RecordKey: linkKey(requestID), Owner: addressOwner(address),
		Created: now, Expires: now.Add(s.cfg.LinkLifetime), Data: data,
	}
	life := &linkLife{Service: s, key: record.RecordKey}
	link := strings.Replace(cmp.Or(client.EmailLink, s.cfg.EmailLink), authcore.LinkPlaceholder, tokenText(requestID, secret), 1)
	if s.cfg.Mailer != nil {
		err := s.cfg.Mailer.Enqueue(ctx, authcore.Mail{
			To: address.String(), Link: link, Code: code,
			Lifetime: s.cfg.LinkLifetime, Expires: record.Expires,
			Requested: now, IP: r.Caller.IP, UserAgent: r.Caller.UserAgent,
			Client: client.Name, Title: cmp.Or(client.Title, s.cfg.Title),
			Locale: cmp.Or(client.Locale, r.Locale, r.Caller.Languages), Live: life.isLive, Decoy: !welcome,
		})
		if err != nil {
			return LinkReceipt{}, err
		}
	}
	err = s.store.PutRecord(ctx, record, authcore.PutOptions{Now: now, Keep: linksOfAddress})
	life.stored(err)
	if err != nil {
		return LinkReceipt{}, err
	}
	receipt := LinkReceipt{RequestID: requestText(requestID), ExpiresIn: s.cfg.LinkLifetime}
	if s.cfg.DebugLinks {
		receipt.DebugLink = link
	}
	return receipt, nil
}

// linkLife reports whether a mailed link can still be used, so that no mail with a dead
// link is sent.
type linkLife struct {
	*Service
	key   authcore.RecordKey
	state atomic.Int32
}

// States of a linkLife.
const (
	linkPending int32 = iota
	linkStored
	linkFailed
)

// stored records the result of storing the link.
func (l *linkLife) stored(err error) {
	if err != nil {
		l.state.Store(linkFailed)
		return
	}
	l.state.Store(linkStored)
}

// isLive reports whether the link exists. If the store cannot answer, it does.
func (l *linkLife) isLive(ctx context.Context) bool {
	switch l.state.Load() {
	case linkPending:
		return true
	case linkFailed:
		return false
	}
	_, err := l.store.Record(ctx, l.key, l.cfg.Now())
	return !errors.Is(err, authcore.ErrNotFound)
}

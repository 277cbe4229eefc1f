package realm

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/storage/memory"
)

const (
	clientKey = "web-key"
	day       = 24 * time.Hour
)

var caller = authcore.Caller{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "test/1"}

// outbox is a Mailer that keeps the last mail.
type outbox struct {
	mu   sync.Mutex
	last authcore.Mail
}

func (o *outbox) Enqueue(_ context.Context, mail authcore.Mail) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = mail
	return nil
}

// provider is a provider that is configured and not used.
type provider struct {
	authcore.Provider
	name  string
	posts bool
}

func (p provider) Name() string       { return p.name }
func (p provider) PostsAnswers() bool { return p.posts }

// node is a realm on a store.
type node struct {
	*Realm
	t     *testing.T
	store authcore.Store
	mails *outbox
}

// unlimited returns limits of which one is set, so that the defaults do not apply.
func unlimited() ratelimit.Limits {
	return ratelimit.Limits{LinkOverall: ratelimit.Rate{N: 1 << 30, Window: time.Minute}}
}

// newNode returns a realm on a store. In a bubble of synctest its clock is
// virtual.
func newNode(t *testing.T, store authcore.Store, change func(*Config)) *node {
	t.Helper()
	n := &node{t: t, store: store, mails: &outbox{}}
	cfg := Config{
		EmailLink: "https://frontend.app/auth/link/{token}",
		Clients: []authcore.Client{{
			Name: "web", Key: clientKey,
			RedirectURIs: []string{"https://frontend.app/auth/callback"}, Origins: []string{"https://frontend.app"},
		}},
		Store: store, Mailer: n.mails, Limits: unlimited(),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if n.Realm, err = New(t.Context(), cfg); err != nil {
		t.Fatalf("New: %v", err)
	}
	return n
}

func newStore() *memory.Store { return memory.New() }

// loginAs logs in by link.
func (n *node) loginAs(email string) session.Grant {
	n.t.Helper()
	grant, err := n.tryLogin(email)
	if err != nil {
		n.t.Fatalf("login of %s: %v", email, err)
	}
	return grant
}

func (n *node) tryLogin(email string) (session.Grant, error) {
	n.t.Helper()
	secret, err := n.requestLink(email)
	if err != nil {
		return session.Grant{}, err
	}
	return n.byLink(n.t.Context(), secret)
}

// errNoMail reports that a request succeeded without a mail.
var errNoMail = errors.New("no mail was sent")

// requestLink returns the secret of a mailed link, or errNoMail.
func (n *node) requestLink(email string) (string, error) {
	_, err := n.Logins.RequestLink(n.t.Context(), login.LinkRequest{Email: email, ClientKey: clientKey, Caller: caller})
	n.mails.mu.Lock()
	defer n.mails.mu.Unlock()
	if n.mails.last.Decoy {
		return "", errNoMail
	}
	return strings.TrimPrefix(n.mails.last.Link, "https://frontend.app/auth/link/"), err
}

func (n *node) byLink(ctx context.Context, secret string) (session.Grant, error) {
	return n.Logins.ByLink(ctx, login.LinkLogin{Token: secret, ClientKey: clientKey, Caller: caller})
}

// claims checks a token like a proxied request.
func (n *node) claims(token string) *gate.Claims {
	n.t.Helper()
	claims, err := n.Authenticate([]string{"Token " + token})
	if err != nil {
		n.t.Fatalf("Authenticate: %v", err)
	}
	return claims
}

func (n *node) refuses(token string) bool {
	_, err := n.Authenticate([]string{"Token " + token})
	return err != nil
}

// logout ends the session of a token.
func (n *node) logout(token string) {
	n.t.Helper()
	if err := n.Sessions.Logout(n.t.Context(), n.claims(token), false); err != nil {
		n.t.Fatalf("Logout: %v", err)
	}
}

func (n *node) maintain() {
	n.t.Helper()
	if err := n.Maintain(n.t.Context()); err != nil {
		n.t.Errorf("Maintain: %v", err)
	}
}

// run runs the node until stop is called.
func (n *node) run() (stop func()) {
	ctx, cancel := context.WithCancel(n.t.Context())
	var running sync.WaitGroup
	running.Go(func() { n.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// keyIDs lists the published keys.
func (n *node) keyIDs() []string {
	var ids []string
	for _, key := range n.Keys.List() {
		ids = append(ids, key.ID)
	}
	slices.Sort(ids)
	return ids
}

// pass lets virtual time pass in a bubble of synctest.
func pass(d time.Duration) { <-time.After(d) }

func wantCode(t *testing.T, err error, status int, code authcore.Code) {
	t.Helper()
	public, ok := errors.AsType[*authcore.Error](err)
	if !ok || public.Status != status || public.Code != code {
		t.Errorf("error is %v, want %d %s", err, status, code)
	}
}

package account

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
)

const (
	// noticeLifetime is the time for which the delivery of a notice is retried.
	noticeLifetime = 4 * time.Hour
	// noticesPerUser limits the notices to one user in noticeWindow.
	noticesPerUser = 20
	noticeWindow   = 24 * time.Hour
)

// NoticesConfig configures Notices.
type NoticesConfig struct {
	Mailer  authcore.Mailer
	Limiter *ratelimit.Limiter
	// Clients and EmailLink name the site in a notice, and Title if it is set.
	Clients          []authcore.Client
	Title, EmailLink string
	Logger           *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Notices informs the owners of accounts by mail about new logins and changes. A nil
// *Notices sends none. Its methods are safe for concurrent use.
type Notices struct{ cfg NoticesConfig }

// NewNotices returns Notices.
func NewNotices(cfg NoticesConfig) *Notices {
	cfg.Now = authcore.Clock(cfg.Now)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	return &Notices{cfg: cfg}
}

// Notice is a change of an account, or a login to it.
type Notice struct {
	Kind authcore.MailKind
	// Method is the login method concerned: "link", "code", "passkey" or the name of a
	// provider.
	Method string
	// Client is the name of the client that sent the request.
	Client string
	Caller authcore.Caller
}

// Send mails a notice to the verified address of a user. It never blocks: delivery
// and the count of the user's notices happen in the queue. A notice that the queue
// does not accept is logged and dropped, because the request that caused it has
// succeeded.
func (n *Notices) Send(ctx context.Context, user authcore.User, notice Notice) {
	if n == nil || user.EmailKey() == "" {
		return
	}
	now := n.cfg.Now()
	mail := authcore.Mail{
		Kind: notice.Kind, To: user.Email, Method: notice.Method, Lifetime: noticeLifetime, Expires: now.Add(noticeLifetime),
		Title: n.cfg.Title, Site: SiteOf(n.cfg.EmailLink), Requested: now, IP: notice.Caller.IP, UserAgent: notice.Caller.UserAgent,
		Client: notice.Client, Locale: notice.Caller.Languages, Live: n.once(user.ID),
	}
	for i := range n.cfg.Clients {
		if client := &n.cfg.Clients[i]; client.Name == notice.Client {
			setIf(&mail.Title, client.Title)
			setIf(&mail.Site, SiteOf(client.EmailLink))
			setIf(&mail.Locale, client.Locale)
		}
	}
	if err := n.cfg.Mailer.Enqueue(ctx, mail); err != nil {
		n.cfg.Logger.WarnContext(ctx, "notice to user dropped", "kind", string(notice.Kind), "user", user.ID, "error", err)
	}
}

// once returns the Live function of a notice: it counts the notice with its first
// attempt and reports whether the user's budget allows it. If nothing can count, it
// does.
func (n *Notices) once(userID string) func(context.Context) bool {
	var counted sync.Once
	allowed := true
	return func(ctx context.Context) bool {
		counted.Do(func() {
			rate := ratelimit.Rate{N: noticesPerUser, Window: noticeWindow}
			err := n.cfg.Limiter.Charge(ctx, []ratelimit.Check{{Name: "notice-user", Party: userID, Rate: rate}})
			var public *authcore.Error
			allowed = !errors.As(err, &public) || public.Code != authcore.CodeThrottled
		})
		return allowed
	}
}

// SiteOf returns the part of a link template before the secret.
func SiteOf(template string) string {
	site, _, _ := strings.Cut(template, authcore.LinkPlaceholder)
	return site
}

func setIf(field *string, value string) {
	if value != "" {
		*field = value
	}
}

package authcore

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// ErrMailQueueFull is returned if the queue accepts no more mail.
var ErrMailQueueFull = errors.New("authcore: mail queue full")

// Mailer accepts mail for delivery.
type Mailer interface {
	// Enqueue accepts a mail and returns immediately: delivery is asynchronous, so
	// that neither its duration nor its outcome affects a response. The error is
	// ErrMailQueueFull or reports that the mailer is closed.
	Enqueue(ctx context.Context, mail LinkMail) error
}

// LinkMail is a request to mail a login link.
type LinkMail struct {
	// To is the address in the format of Address.String.
	To string
	// Link is the complete link. It is a secret.
	Link string
	// Code is the six-digit alternative to the link. It is a secret.
	Code string
	// Lifetime of link and code.
	Lifetime time.Duration
	// Expires is the end of that lifetime. Delivery after it is useless.
	Expires time.Time
	// Title is the name of the site, or "".
	Title string
	// Requested is the time of the request; IP and UserAgent describe the client that
	// sent it. The mail shows them. Each may be missing.
	Requested time.Time
	IP        netip.Addr
	UserAgent string
	// Client is the name of the client that requested the link, or "".
	Client string
	// Locale is the preferred language as a BCP 47 tag, or a list of them in the form of
	// Accept-Language (RFC 9110, section 12.5.4), or "".
	Locale string
	// Live reports whether the link can still be used, so that a mail with a used link
	// is not sent; nil for always. It returns true if that is unknown.
	Live func(ctx context.Context) bool
	// Decoy mails occupy a place in the queue and are never delivered, so that a
	// full queue has the same effect for every address.
	Decoy bool
}

package authcore

import (
	"context"
	"errors"
	"time"
)

// ErrMailQueueFull says that the queue takes no more mail now.
var ErrMailQueueFull = errors.New("authcore: mail queue full")

// Mailer takes mail for delivery.
type Mailer interface {
	// Enqueue accepts a mail and returns at once: delivery happens elsewhere,
	// so that neither its time nor its outcome shows in an answer. The error is
	// ErrMailQueueFull or says that the mailer was closed.
	Enqueue(ctx context.Context, mail LinkMail) error
}

// LinkMail asks for the mail with a login link.
type LinkMail struct {
	// To is the address in the form of Address.String.
	To string
	// Link is the whole link; it is a secret.
	Link string
	// Code is the six digits that do the same; it is a secret.
	Code string
	// Lifetime of both.
	Lifetime time.Duration
	// Expires is the moment after which delivery is pointless.
	Expires time.Time
	// Client is the name of the client that asked, or "".
	Client string
	// Locale is the wished language as a BCP 47 tag, or "".
	Locale string
	// Decoy mails take a place in the queue and are never delivered, so that a
	// full queue answers alike for every address.
	Decoy bool
}

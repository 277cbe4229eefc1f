package mailer

import (
	"context"
	"errors"
)

// ErrClosed says that a Queue or Transport was closed.
var ErrClosed = errors.New("mailer: closed")

// Transport delivers mail one by one. It is safe for concurrent use.
type Transport interface {
	// Deliver hands the mail over and returns when the other side has taken
	// responsibility for it (RFC 5321, section 6.1). It returns soon after ctx
	// ends. A *DeliveryError says whether trying again can help; after any other
	// error the mail is tried again.
	Deliver(ctx context.Context, m *Message) error
	// Close ends idle connections. Deliver fails afterwards.
	Close() error
}

package mailer

import (
	"context"
	"errors"
)

// ErrClosed is returned by a closed Queue or Transport.
var ErrClosed = errors.New("mailer: closed")

// Transport delivers mail. It is safe for concurrent use.
type Transport interface {
	// Deliver sends a mail and returns when the other side has accepted the
	// responsibility for it (RFC 5321, section 6.1). It returns soon after ctx ends;
	// ctx ends when the link in the mail expires. A *DeliveryError reports whether
	// the mail may be sent again; after any other error it is sent again.
	Deliver(ctx context.Context, m *Message) error
	// Close ends idle connections. Deliver fails afterwards.
	Close() error
}

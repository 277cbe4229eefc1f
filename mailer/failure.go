package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strings"
	"syscall"
)

// The stages of a delivery, as they stand in DeliveryError.Stage.
const (
	stageConnect   = "connect"
	stageGreeting  = "greeting"
	stageTLS       = "tls"
	stageAuth      = "auth"
	stageSender    = "sender"
	stageRecipient = "recipient"
	stageContent   = "content"
	stageHTTP      = "http"
)

// DeliveryError is a failed delivery, free of everything that the other side
// said in words: replies repeat the address, and are text that somebody else
// writes into our log (CWE-117).
type DeliveryError struct {
	// Permanent says that this mail will never be taken. Failures before the
	// mail was offered are never permanent: they tell about the server.
	Permanent bool
	// Stage is where it failed: connect, greeting, tls, auth, sender, recipient,
	// content or http.
	Stage string
	// Status is the SMTP reply code or HTTP status, or 0 when none came.
	Status int
	// Enhanced is the enhanced status code (RFC 3463), for example "5.1.1", or "".
	Enhanced string
	// Reason is what that means, in the words of this package.
	Reason string
}

// Error returns stage, codes and reason; it is for logs.
func (e *DeliveryError) Error() string {
	text := "mailer: " + e.Stage
	if e.Status != 0 {
		text += fmt.Sprintf(": %d", e.Status)
	}
	if e.Enhanced != "" {
		text += " " + e.Enhanced
	}
	return text + ": " + e.Reason
}

// enhancedCode matches a status code at the start of a reply. The lengths are
// those of RFC 3463, section 2, so that nothing else can travel in it.
var enhancedCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}(?: |$)`)

// failureAt turns what went wrong at a stage into a DeliveryError. A reply of
// 5xx is permanent only where it is about the mail itself (RFC 5321, section
// 4.2.1); everything that is no reply is a broken connection and temporary.
func failureAt(ctx context.Context, stage string, err error) *DeliveryError {
	failure := &DeliveryError{Stage: stage}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		failure.Reason = reasonOf(ctx, err)
		return failure
	}
	failure.Status = reply.Code
	failure.Enhanced = strings.TrimSpace(enhancedCode.FindString(reply.Msg))
	failure.Reason = meaning(reply.Code, failure.Enhanced)
	switch stage {
	case stageSender, stageRecipient, stageContent:
		failure.Permanent = reply.Code >= 500 && reply.Code <= 599
	}
	return failure
}

// reasonOf names the kind of a failure below the protocol. Only texts that the
// operating system or this program wrote are repeated.
func reasonOf(ctx context.Context, err error) string {
	var (
		named       *reasonError
		dns         *net.DNSError
		errno       syscall.Errno
		alert       tls.AlertError
		unknownCA   x509.UnknownAuthorityError
		wrongHost   x509.HostnameError
		invalidCert x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &named):
		return named.reason
	case errors.Is(context.Cause(ctx), context.Canceled):
		return "canceled"
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timed out"
	case errors.As(err, &dns):
		return "host name could not be resolved"
	case errors.As(err, &unknownCA):
		return "certificate signed by an unknown authority"
	case errors.As(err, &wrongHost):
		return "certificate of another host"
	case errors.As(err, &invalidCert):
		return "certificate expired or not usable"
	case errors.As(err, &alert):
		return "TLS handshake refused"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed by the server"
	default:
		return "connection failed"
	}
}

// reasonError is an error of this package that is fit for a log.
type reasonError struct{ reason string }

func (e *reasonError) Error() string { return e.reason }

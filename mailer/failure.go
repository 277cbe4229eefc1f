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

// Values of DeliveryError.Stage.
const (
	stageConnect   = "connect"
	stageGreeting  = "greeting"
	stageTLS       = "tls"
	stageAuth      = "auth"
	stageSender    = "sender"
	stageRecipient = "recipient"
	stageData      = "data"
	stageContent   = "content"
	stageHTTP      = "http"
)

// DeliveryError is a failed delivery. It contains no text of the server: replies
// repeat the address, and could forge lines of a log (CWE-117).
type DeliveryError struct {
	// Permanent is set if this mail will never be accepted: the server refuses its
	// recipient or content. Other failures concern the server or our configuration
	// and are temporary.
	Permanent bool
	// Unknown is set if the complete mail was sent but not acknowledged. It may
	// have been delivered and must not be sent again.
	Unknown bool
	// Stage is connect, greeting, tls, auth, sender, recipient, data (the command),
	// content or http.
	Stage string
	// Status is the SMTP reply code or HTTP status, or 0 without a reply.
	Status int
	// Enhanced is the enhanced status code (RFC 3463), for example "5.1.1", or "".
	Enhanced string
	// Reason describes the failure in words of this package.
	Reason string
}

// Error returns stage, codes and reason, for logs.
func (e *DeliveryError) Error() string {
	text := e.Stage
	if e.Status != 0 {
		text += fmt.Sprintf(": %d", e.Status)
	}
	if e.Enhanced != "" {
		text += " " + e.Enhanced
	}
	return text + ": " + e.Reason
}

// subject returns the second part of the enhanced status code, or "".
func (e *DeliveryError) subject() string {
	_, detail, _ := strings.Cut(e.Enhanced, ".")
	subject, _, _ := strings.Cut(detail, ".")
	return subject
}

// enhancedCode matches a status code at the start of a reply. The lengths are
// those of RFC 3463, section 2, so that no other text passes. Some servers write "#5.1.1"
// or "5.1.1:".
var enhancedCode = regexp.MustCompile(`^#?([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ :]|$)`)

// failureAt returns the DeliveryError for an error at a stage. A refusal is
// permanent only if it concerns the recipient or the content. The enhanced codes
// x.3 and x.4 report problems of the mail system and the network, and 4.x.x a temporary
// one, also after 5xx. Any error that is not a reply is temporary.
func failureAt(ctx context.Context, stage string, err error) *DeliveryError {
	failure := &DeliveryError{Stage: stage}
	var refusal *textproto.Error
	if !errors.As(err, &refusal) {
		failure.Reason = reasonOf(ctx, err)
		return failure
	}
	failure.Status = refusal.Code
	if match := enhancedCode.FindStringSubmatch(refusal.Msg); match != nil {
		failure.Enhanced = match[1]
	}
	failure.Reason = meaning(refusal.Code, failure.Enhanced)
	switch stage {
	case stageRecipient, stageData, stageContent:
		subject := failure.subject()
		failure.Permanent = refusal.Code/100 == 5 && !failure.ofSession() && subject != "3" && subject != "4" && !strings.HasPrefix(failure.Enhanced, "4.")
	}
	return failure
}

// reasonOf describes a failure below the protocol, with texts of the operating
// system and of this package only.
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
		return "resolving the host name failed"
	case errors.As(err, &unknownCA):
		return "the certificate is signed by an unknown authority"
	case errors.As(err, &wrongHost):
		return "the certificate belongs to another host"
	case errors.As(err, &invalidCert):
		return "the certificate is expired or not usable"
	case errors.As(err, &alert):
		return "the server refused the TLS handshake"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "the server closed the connection"
	default:
		return "the connection failed"
	}
}

// reasonError is an error whose text may be logged.
type reasonError struct{ reason string }

func (e *reasonError) Error() string { return e.reason }

package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"

	"github.com/edgeauth/edgeauth/authcore"
)

func denied(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{authcore.ErrProviderDenied}, args...)...)
}

func mismatch(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{authcore.ErrProviderMismatch}, args...)...)
}

func failed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{authcore.ErrProviderFailed}, args...)...)
}

// transportFault maps the error of a request to an ErrProvider error. The original
// is dropped: it contains the URL, which may carry a secret, and text from the
// server, which may echo the request.
func transportFault(what string, err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%w: %s", authcore.ErrProviderTimeout, what)
	}
	return failed("%s: %s", what, reason(err))
}

// reason describes the error of a request with texts of this package or of the
// operating system.
func reason(err error) string {
	var (
		address     *url.Error
		dial        *net.OpError
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
	)
	if errors.As(err, &address) {
		err = address.Err
	}
	for _, own := range []error{errPrivateAddress, errBadURL, errTooLarge, errRedirect} {
		if errors.Is(err, own) {
			return own.Error()
		}
	}
	switch {
	case errors.As(err, &name):
		return "resolving the host name failed"
	case errors.As(err, &certificate):
		return "the TLS certificate is not valid"
	case errors.As(err, &dial):
		return dial.Op + ": " + dial.Err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection closed early"
	default:
		return "the response is not valid HTTP"
	}
}

// blame attributes an error. If the caller's context has ended, that is the error.
// If the provider's time is used up, the provider timed out, whatever error
// followed. A refusal that arrived in time remains.
func blame(caller, bounded context.Context, err error) error {
	if errors.Is(err, authcore.ErrProviderDenied) || errors.Is(err, authcore.ErrProviderMismatch) {
		return err
	}
	if gaveUp := caller.Err(); gaveUp != nil {
		return gaveUp
	}
	if bounded.Err() != nil && !errors.Is(err, authcore.ErrProviderTimeout) {
		return fmt.Errorf("%w: no response in time", authcore.ErrProviderTimeout)
	}
	return err
}

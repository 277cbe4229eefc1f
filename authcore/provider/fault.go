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

// transportFault turns the error of a request into one of ours. The original is
// dropped: it names the URL, which may carry a secret, and quotes what a broken
// server sent, which may be an echo of the request.
func transportFault(what string, err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%w: %s", authcore.ErrProviderTimeout, what)
	}
	return failed("%s: %s", what, reason(err))
}

// reason describes the error of a request in words that are ours or those of
// the operating system.
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
		return "the host name cannot be resolved"
	case errors.As(err, &certificate):
		return "the TLS certificate is not valid"
	case errors.As(err, &dial):
		return dial.Op + ": " + dial.Err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended early"
	default:
		return "there was no proper HTTP answer"
	}
}

// blame decides whose fault an error is. A caller who gave up hears of that
// alone; a provider that used up its time has timed out, whatever the error was
// that came of it. What the provider decided in time stands.
func blame(caller, bounded context.Context, err error) error {
	if errors.Is(err, authcore.ErrProviderDenied) || errors.Is(err, authcore.ErrProviderMismatch) {
		return err
	}
	if gaveUp := caller.Err(); gaveUp != nil {
		return gaveUp
	}
	if bounded.Err() != nil && !errors.Is(err, authcore.ErrProviderTimeout) {
		return fmt.Errorf("%w: no answer in time", authcore.ErrProviderTimeout)
	}
	return err
}

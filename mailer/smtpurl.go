package mailer

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/edgeauth/edgeauth/authcore"
)

// TLSMode is the protection of a connection to an SMTP server.
type TLSMode string

// The modes.
const (
	// TLSStartTLS begins in the clear and requires an upgrade (RFC 3207) before
	// authentication and mail.
	TLSStartTLS TLSMode = "starttls"
	// TLSImplicit is TLS from the first byte (RFC 8314, section 3.3).
	TLSImplicit TLSMode = "implicit"
	// TLSNone sends in the clear. Credentials are then allowed only on the loopback
	// interface.
	TLSNone TLSMode = "none"
)

// Ports of submission (RFC 6409, section 3.1 and RFC 8314, section 7.3).
const (
	submissionPort  = 587
	submissionsPort = 465
)

// SMTPServer is an SMTP server. Its printed forms contain no credentials.
type SMTPServer struct {
	Host string
	Port int
	// User and Password are both set or both empty.
	User     string
	Password string `json:"-"`
	TLS      TLSMode
}

// ParseSMTPURL parses
//
//	smtp://[user:password@]host[:port][?tls=starttls|implicit|none]
//	smtps://[user:password@]host[:port]
//
// User and password are percent-encoded (RFC 3986, section 2.1). The default port is
// 587, or 465 with implicit TLS. The default mode is starttls, or none if the host is
// the loopback interface. Errors contain no part of the text, because a misplaced
// character can turn any part of it into the password.
func ParseSMTPURL(text string) (SMTPServer, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return SMTPServer{}, errors.New("mailer: SMTP URL: the URL is not valid; use smtp://user:password@host:587 and percent-encode special characters of user and password")
	}
	server := SMTPServer{Host: parsed.Hostname()}
	if server.TLS, err = tlsModeOf(parsed, server.Host); err != nil {
		return SMTPServer{}, err
	}
	if parsed.Opaque != "" || parsed.Path != "" && parsed.Path != "/" || parsed.Fragment != "" {
		return SMTPServer{}, errors.New("mailer: SMTP URL: only ?tls= may follow the host; percent-encode special characters of user and password")
	}
	if server.Port, err = portOf(parsed, server.TLS); err != nil {
		return SMTPServer{}, err
	}
	if parsed.User != nil {
		server.User = parsed.User.Username()
		server.Password, _ = parsed.User.Password()
		if server.User == "" || server.Password == "" {
			return SMTPServer{}, errors.New("mailer: SMTP URL: user or password is missing; set both or neither")
		}
	}
	return server, server.Validate()
}

func tlsModeOf(parsed *url.URL, host string) (TLSMode, error) {
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil || len(query) > 1 || len(query) == 1 && len(query["tls"]) != 1 {
		return "", errors.New("mailer: SMTP URL: the parameters are not valid; the only one is tls, at most once")
	}
	mode := TLSMode(query.Get("tls"))
	switch parsed.Scheme {
	case "smtp":
	case "smtps":
		if mode != "" && mode != TLSImplicit {
			return "", errors.New("mailer: SMTP URL: smtps implies implicit TLS; use smtp for another mode")
		}
		return TLSImplicit, nil
	default:
		return "", errors.New("mailer: SMTP URL: the scheme is not valid; use smtp:// or smtps://")
	}
	if mode == "" && !query.Has("tls") {
		if authcore.IsLoopback(host) {
			return TLSNone, nil
		}
		return TLSStartTLS, nil
	}
	return mode, nil
}

func portOf(parsed *url.URL, mode TLSMode) (int, error) {
	switch text := parsed.Port(); {
	case text != "":
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return 0, errors.New("mailer: SMTP URL: the port is not valid; use a number from 1 to 65535")
		}
		return int(port), nil
	case strings.HasSuffix(parsed.Host, ":"):
		return 0, errors.New("mailer: SMTP URL: the port is missing; add it after the colon or remove the colon")
	case mode == TLSImplicit:
		return submissionsPort, nil
	default:
		return submissionPort, nil
	}
}

// hostName matches host names.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?$`)

// Validate checks a server that did not come from ParseSMTPURL.
func (s SMTPServer) Validate() error {
	_, notAddress := netip.ParseAddr(s.Host)
	switch {
	case s.Host == "":
		return errors.New("mailer: SMTP server: the host is missing; use a host name or an IP address")
	case notAddress != nil && (!hostName.MatchString(s.Host) || len(s.Host) > 253) || strings.Contains(s.Host, "%"):
		return errors.New("mailer: SMTP server: the host is not valid; use a host name or an IP address")
	case s.Port < 1 || s.Port > 65535:
		return errors.New("mailer: SMTP server: the port is not valid; use a number from 1 to 65535")
	case s.TLS != TLSStartTLS && s.TLS != TLSImplicit && s.TLS != TLSNone:
		return errors.New("mailer: SMTP server: tls is not valid; use starttls, implicit or none")
	case (s.User == "") != (s.Password == ""):
		return errors.New("mailer: SMTP server: user or password is missing; set both or neither")
	case hasControl(s.User) || hasControl(s.Password):
		return errors.New("mailer: SMTP server: user or password contains control characters; remove them")
	case s.User != "" && s.TLS == TLSNone && !authcore.IsLoopback(s.Host):
		return errors.New("mailer: SMTP server: credentials require TLS; use tls=starttls or tls=implicit, or a server on the loopback interface")
	}
	return nil
}

// address returns host and port for a dialer.
func (s SMTPServer) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// String returns the URL without credentials.
func (s SMTPServer) String() string { return "smtp://" + s.address() + "?tls=" + string(s.TLS) }

// GoString keeps %#v from printing the password.
func (s SMTPServer) GoString() string { return s.String() }

// LogValue keeps slog from printing the password.
func (s SMTPServer) LogValue() slog.Value { return slog.StringValue(s.String()) }

func hasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

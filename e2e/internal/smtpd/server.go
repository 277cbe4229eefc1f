package smtpd

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
	"github.com/edgeauth/edgeauth/internal/servertest"
)

// arrival limits the time from the answer of the API to the arrival of the mail.
const arrival = time.Minute

// Options of a Server.
type Options struct {
	// TLS offers STARTTLS; nil plays an attacker who strips it.
	TLS *tls.Config
	// User and Password that AUTH PLAIN requires.
	User, Password string
}

// Server is a running SMTP server.
type Server struct {
	// Addr is host and port.
	Addr string

	options  Options
	listener net.Listener
	server   *smtp.Server
	served   chan error

	mu       sync.Mutex
	mails    []Mail
	refuse   error
	sessions int
	secure   int
	clear    strings.Builder
}

// Start starts a server on a port that stays free after its end, for StartAt.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	return StartAt(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(servertest.FreePort(t))), options)
}

// StartAt starts a server on a given address, for example that of an earlier
// one that was closed.
func StartAt(t testing.TB, addr string, options Options) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: listener.Addr().String(), options: options, listener: listener, served: make(chan error, 1)}
	s.server = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.server.Domain = "mail.test"
	s.server.TLSConfig = options.TLS
	s.server.AllowInsecureAuth = options.TLS == nil
	s.server.MaxMessageBytes = 1 << 20
	s.server.MaxRecipients = 1
	s.server.ReadTimeout, s.server.WriteTimeout = time.Minute, time.Minute
	s.server.ErrorLog = log.New(io.Discard, "", 0)
	go func() { s.served <- s.server.Serve(recorded{listener, s}) }()
	t.Cleanup(s.Close)
	return s
}

// Close ends the server and all its connections. It may be called again.
func (s *Server) Close() {
	if err := s.server.Close(); errors.Is(err, smtp.ErrServerClosed) {
		return
	}
	_ = s.listener.Close() // the library knows it only after Serve has begun
	<-s.served
}

// Refuse answers every mail with an error, until it is called with nil.
func (s *Server) Refuse(err *smtp.SMTPError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = nil
	if err != nil {
		s.refuse = err
	}
}

// Mails returns the mails to an address, oldest first.
func (s *Server) Mails(to string) []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Mail
	for _, mail := range s.mails {
		if mail.To == to {
			list = append(list, mail)
		}
	}
	return list
}

// Count returns how many mails were received in all.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mails)
}

// Nth waits for the n-th mail to an address, counted from 1.
func (s *Server) Nth(t testing.TB, to string, n int) Mail {
	t.Helper()
	wait.Until(t, arrival, "the mail arrives", func() bool { return len(s.Mails(to)) >= n })
	return s.Mails(to)[n-1]
}

// After waits for a mail to an address, behind the first n ones, whose text contains a
// part. Notices about the account may arrive in between.
func (s *Server) After(t testing.TB, to string, n int, part string) (found Parts) {
	t.Helper()
	wait.Until(t, arrival, "the mail with "+part+" arrives", func() bool {
		for _, mail := range s.Mails(to)[n:] {
			if found = mail.Parts(t); strings.Contains(found.Text, part) {
				return true
			}
		}
		return false
	})
	return found
}

// Connections returns the number of sessions, and of those that were encrypted and
// authenticated.
func (s *Server) Connections() (begun, secure int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions, s.secure
}

// Clear returns everything that clients sent unencrypted.
func (s *Server) Clear() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clear.String()
}

func (s *Server) newSession(conn *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	return &session{server: s, conn: conn}, nil
}

type session struct {
	server   *Server
	conn     *smtp.Conn
	user     string
	from, to string
}

// AuthMechanisms offers PLAIN alone.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth checks user and password.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.options.User || password != s.server.options.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		if _, encrypted := s.conn.TLSConnectionState(); encrypted {
			s.server.mu.Lock()
			s.server.secure++
			s.server.mu.Unlock()
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.refuse != nil {
		return s.server.refuse
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.server.mails = append(s.server.mails, Mail{
		From: s.from, To: s.to, User: s.user, Encrypted: encrypted, Raw: raw,
	})
	return nil
}

func (s *session) Reset() { s.from, s.to = "", "" }

func (s *session) Logout() error { return nil }

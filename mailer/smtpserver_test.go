package mailer

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/edgeauth/edgeauth/internal/servertest"
)

// Special replies.
const (
	replyHang = "hang" // send nothing until the connection ends
	replyDrop = "drop" // close the connection

	replyDropInside = "drop inside" // close the connection within the content
)

// smtpScript is a small SMTP server with scripted faults.
type smtpScript struct {
	// reply returns the reply to a command of the n-th connection (from 1); "" means
	// the usual reply. Verbs: "GREETING", "EHLO" and so on; "DATA" for the command and
	// "." for the end of the content.
	reply func(n int, verb, line string) string
	// extensions in the reply to EHLO; STARTTLS is added if tls is set.
	extensions []string
	tls        *tls.Config
	implicit   bool
	user, pass string

	listener net.Listener
	group    sync.WaitGroup
	mu       sync.Mutex
	dials    int
	conns    map[net.Conn]bool
	commands []string
	mails    []string
}

func (s *smtpScript) start(t *testing.T) SMTPServer {
	t.Helper()
	s.listen(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(servertest.FreePort(t)))) // also for a restart
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	number, _ := strconv.Atoi(port)
	server := SMTPServer{Host: host, Port: number, User: s.user, Password: s.pass, TLS: TLSNone}
	switch {
	case s.implicit:
		server.TLS = TLSImplicit
	case s.tls != nil:
		server.TLS = TLSStartTLS
	}
	return server
}

func (s *smtpScript) listen(t *testing.T, address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("Listen() failed: %v", err)
	}
	s.listener = listener
	s.conns = map[net.Conn]bool{}
	s.group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.dials++
			n := s.dials
			s.conns[conn] = true
			s.mu.Unlock()
			s.group.Go(func() { s.serve(n, conn) })
		}
	})
	t.Cleanup(s.stop)
}

// stop ends the server and all its connections.
func (s *smtpScript) stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.group.Wait()
}

func (s *smtpScript) serve(n int, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	secured := conn
	if s.implicit {
		secured = tls.Server(conn, s.tls)
	}
	p := &smtpPeer{script: s, n: n, raw: conn}
	p.use(secured, s.implicit)
	if !p.answer("GREETING", "", "220 test ESMTP") {
		return
	}
	for {
		line, err := p.text.ReadLine()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.commands = append(s.commands, line)
		s.mu.Unlock()
		if !p.command(line) {
			return
		}
	}
}

// smtpPeer is one connection of the server.
type smtpPeer struct {
	script *smtpScript
	n      int
	raw    net.Conn
	conn   net.Conn
	text   *textproto.Reader
	secure bool
}

func (p *smtpPeer) use(conn net.Conn, secure bool) {
	p.conn, p.secure = conn, secure
	p.text = textproto.NewReader(bufio.NewReader(conn))
}

// scripted returns the reply of the test, or "".
func (p *smtpPeer) scripted(verb, line string) string {
	if p.script.reply == nil {
		return ""
	}
	return p.script.reply(p.n, verb, line)
}

// answer sends the scripted or the usual reply, and reports whether the connection
// continues.
func (p *smtpPeer) answer(verb, line, usual string) bool {
	return p.send(p.scripted(verb, line), usual)
}

func (p *smtpPeer) send(reply, usual string) bool {
	switch reply {
	case replyDrop:
		_ = p.raw.Close()
		return false
	case replyHang:
		_, _ = io.Copy(io.Discard, p.raw)
		return false
	case "":
		reply = usual
	}
	_, err := io.WriteString(p.conn, strings.ReplaceAll(reply, "\n", "\r\n")+"\r\n")
	return err == nil
}

// command handles one line and reports whether the connection continues.
func (p *smtpPeer) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb = strings.ToUpper(verb); verb {
	case "EHLO":
		return p.answer(verb, line, p.hello())
	case "STARTTLS":
		reply := p.scripted(verb, line)
		if !p.send(reply, "220 go ahead") || reply != "" && !strings.HasPrefix(reply, "220") {
			return reply != replyDrop && reply != replyHang
		}
		p.use(tls.Server(p.conn, p.script.tls), true)
		return true
	case "AUTH":
		return p.auth(line, rest)
	case "DATA":
		return p.data(line)
	case "QUIT":
		p.answer(verb, line, "221 bye")
		return false
	default:
		return p.answer(verb, line, "250 2.0.0 ok")
	}
}

func (p *smtpPeer) hello() string {
	lines := append([]string{"test"}, p.script.extensions...)
	if p.script.tls != nil && !p.secure {
		lines = append(lines, "STARTTLS")
	}
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		lines[i] = "250" + separator + line
	}
	return strings.Join(lines, "\n")
}

func (p *smtpPeer) auth(line, rest string) bool {
	mechanism, initial, _ := strings.Cut(rest, " ")
	given := ""
	switch mechanism {
	case "PLAIN":
		raw, _ := base64.StdEncoding.DecodeString(initial)
		given = strings.Trim(strings.ReplaceAll(string(raw), "\x00", "/"), "/")
	case "LOGIN":
		user, okUser := p.ask("Username:")
		pass, okPass := p.ask("Password:")
		if !okUser || !okPass {
			return false
		}
		given = user + "/" + pass
	case "CRAM-MD5":
		const challenge = "<1.2@test>"
		answer, ok := p.ask(challenge)
		if !ok {
			return false
		}
		mac := hmac.New(md5.New, []byte(p.script.pass))
		mac.Write([]byte(challenge))
		if answer == p.script.user+" "+hex.EncodeToString(mac.Sum(nil)) {
			given = p.script.user + "/" + p.script.pass
		}
	case "XOAUTH2":
		raw, _ := base64.StdEncoding.DecodeString(initial)
		user, token, _ := strings.Cut(strings.TrimSuffix(string(raw), "\x01\x01"), "\x01auth=Bearer ")
		given = strings.TrimPrefix(user, "user=") + "/" + token
	}
	if given != p.script.user+"/"+p.script.pass {
		return p.answer("AUTH", line, "535 5.7.8 no such user alice@example.org")
	}
	return p.answer("AUTH", line, "235 2.7.0 welcome")
}

func (p *smtpPeer) ask(question string) (string, bool) {
	fmt.Fprintf(p.conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(question)))
	line, err := p.text.ReadLine()
	raw, _ := base64.StdEncoding.DecodeString(line)
	return string(raw), err == nil
}

func (p *smtpPeer) data(line string) bool {
	reply := p.scripted("DATA", line)
	if reply == replyDropInside {
		fmt.Fprint(p.conn, "354 continue\r\n")
		_, _ = p.text.ReadLine()
		_ = p.raw.Close()
		return false
	}
	if !p.send(reply, "354 continue") {
		return false
	}
	if reply != "" {
		return true // refused, no content follows
	}
	content, err := p.text.ReadDotBytes()
	if err != nil {
		return false
	}
	reply = p.scripted(".", "")
	if reply == "" { // stored before the client receives the reply
		p.script.mu.Lock()
		p.script.mails = append(p.script.mails, string(content))
		p.script.mu.Unlock()
	}
	return p.send(reply, "250 2.0.0 queued")
}

func (s *smtpScript) dialed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

func (s *smtpScript) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}

func (s *smtpScript) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.commands, "\n")
}

// newTestSMTP returns a transport to the script.
func newTestSMTP(t *testing.T, server SMTPServer, change func(*SMTPConfig)) *SMTP {
	t.Helper()
	config := SMTPConfig{Server: server, HELO: "client.example.com"}
	if change != nil {
		change(&config)
	}
	transport, err := NewSMTP(config)
	if err != nil {
		t.Fatalf("NewSMTP() failed: %v", err)
	}
	t.Cleanup(func() { _ = transport.Close() })
	return transport
}

func shortly(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

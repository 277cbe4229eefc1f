package mailer

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// Timeouts of RFC 5321, section 4.5.3.2. The reply to the end of the content has
// none: the client waits for it until the link in the mail expires, because a mail
// whose outcome is unknown must not be sent again.
const (
	commandTimeout = 5 * time.Minute
	dataTimeout    = 2 * time.Minute
	blockTimeout   = 3 * time.Minute
)

// maxReplyLine limits what is kept of a line of a reply. RFC 5321, section 4.5.3.1.5,
// allows 512 bytes.
const maxReplyLine = 4096

// client speaks SMTP (RFC 5321) on one connection. After any error that is not a
// reply the connection is unusable.
type client struct {
	conn   net.Conn
	reader *bufio.Reader
	// abort closes the network connection, so that pending reads and writes fail.
	abort     func()
	afterFunc func(time.Duration, func()) func() bool
	timedOut  atomic.Bool

	secured    bool
	extensions map[string]string
}

func newClient(conn net.Conn, abort func(), afterFunc func(time.Duration, func()) func() bool) *client {
	c := &client{abort: abort, afterFunc: afterFunc}
	c.use(conn, false)
	return c
}

// use continues on another connection, which has no buffered data.
func (c *client) use(conn net.Conn, secured bool) {
	c.conn, c.secured = conn, secured
	c.reader = bufio.NewReaderSize(conn, maxReplyLine)
}

// limit aborts the connection after the timeout, unless stop is called first.
func (c *client) limit(timeout time.Duration) (stop func()) {
	cancel := c.afterFunc(timeout, func() {
		c.timedOut.Store(true)
		c.abort()
	})
	return func() { cancel() }
}

// reply is a reply of the server.
type reply struct {
	code  int
	lines []string
	// isMixed reports that codes of its lines contradict each other.
	isMixed bool
}

// text returns the first line, which starts with the enhanced status code.
func (r reply) text() string { return r.lines[0] }

// want returns the reply as an error unless its code has this first digit.
func (r reply) want(class int) error {
	if r.code/100 == class {
		return nil
	}
	return &textproto.Error{Code: r.code, Msg: r.text()}
}

// greeting reads the first reply of the server.
func (c *client) greeting() error {
	defer c.limit(commandTimeout)()
	r, err := c.readReply()
	if err != nil {
		return err
	}
	return r.want(2)
}

// command sends one line and returns the reply. Data that arrived before it is a
// surplus reply, which must not be taken for the reply to this command.
func (c *client) command(timeout time.Duration, line string) (reply, error) {
	if hasControl(line) {
		return reply{}, &reasonError{"the command contains control characters"}
	}
	_, _ = c.reader.Discard(c.reader.Buffered())
	defer c.limit(timeout)()
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		return reply{}, err
	}
	return c.readReply()
}

// expect is command with an error unless the reply has this first digit.
func (c *client) expect(class int, timeout time.Duration, line string) error {
	r, err := c.command(timeout, line)
	if err != nil {
		return err
	}
	return r.want(class)
}

// readReply reads a reply of one or more lines (RFC 5321, section 4.2.1). Lines within
// it may lack a code, as in banners. If the codes differ, the last one counts.
func (c *client) readReply() (reply, error) {
	var r reply
	for {
		line, err := c.readLine()
		if err != nil {
			return reply{}, err
		}
		code, text, more, ok := parseReplyLine(line)
		switch {
		case !ok && r.code == 0:
			return reply{}, &reasonError{"the reply is not valid SMTP"}
		case !ok:
			continue
		case r.code != 0 && r.code/100 != code/100:
			r.isMixed, r.lines = true, nil
		}
		r.code, r.lines = code, append(r.lines, text)
		if !more {
			return r, nil
		}
	}
}

// readLine reads a line, of which it returns the beginning. meteredConn limits the rest.
func (c *client) readLine() (string, error) {
	start, err := c.reader.ReadSlice('\n')
	line := string(start)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = c.reader.ReadSlice('\n')
	}
	return strings.TrimRight(line, "\r\n"), err
}

// parseReplyLine parses a line of a reply, and reports whether more lines follow.
// A code without text is valid (RFC 5321, section 4.2).
func parseReplyLine(line string) (code int, text string, more, ok bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return 0, "", false, false
	}
	for _, digit := range []byte(line[:3]) {
		if digit < '0' || digit > '9' {
			return 0, "", false, false
		}
		code = code*10 + int(digit-'0')
	}
	rest := line[3:]
	if rest == "" {
		return code, "", false, true
	}
	return code, rest[1:], rest[0] == '-', rest[0] == ' ' || rest[0] == '-'
}

// hello greets the server with EHLO, or HELO if it does not know that, and stores
// the extensions.
func (c *client) hello(name string) error {
	c.extensions = map[string]string{}
	r, err := c.command(commandTimeout, "EHLO "+name)
	if err != nil {
		return err
	}
	if r.code/100 == 5 {
		return c.expect(2, commandTimeout, "HELO "+name)
	}
	if err := r.want(2); err != nil {
		return err
	}
	c.extensions = parseExtensions(r.lines[1:])
	return nil
}

// parseExtensions returns the parameters by keyword. Before RFC 2554 servers wrote
// "AUTH=LOGIN PLAIN"; both forms may occur in one reply.
func parseExtensions(lines []string) map[string]string {
	extensions := map[string]string{}
	for _, line := range lines {
		keyword, parameters, _ := strings.Cut(strings.TrimSpace(line), " ")
		keyword = strings.ToUpper(keyword)
		if first, found := strings.CutPrefix(keyword, "AUTH="); found {
			keyword, parameters = "AUTH", first+" "+parameters
		}
		if known, found := extensions[keyword]; found {
			parameters = known + " " + parameters
		}
		extensions[keyword] = parameters
	}
	return extensions
}

// authenticate runs an authentication exchange (RFC 4954, section 4).
func (c *client) authenticate(auth smtp.Auth, host string) error {
	mechanism, response, err := auth.Start(&smtp.ServerInfo{Name: host, TLS: c.secured, Auth: strings.Fields(c.extensions["AUTH"])})
	if err != nil {
		return errExchange
	}
	line := "AUTH " + mechanism
	switch {
	case response == nil:
	case len(response) == 0:
		line += " ="
	default:
		line += " " + base64.StdEncoding.EncodeToString(response)
	}
	for {
		r, err := c.command(commandTimeout, line)
		if err != nil {
			return err
		}
		if r.code != 334 {
			if err := r.want(2); err != nil {
				return err
			}
			if _, err := auth.Next([]byte(r.text()), false); err != nil {
				return errExchange
			}
			return nil
		}
		challenge, err := base64.StdEncoding.DecodeString(r.text())
		if err == nil {
			response, err = auth.Next(challenge, true)
		}
		if err != nil {
			_, _ = c.command(commandTimeout, "*") // cancels the exchange
			return errExchange
		}
		line = base64.StdEncoding.EncodeToString(response)
	}
}

// mail begins a transaction. The content is 7bit, so no extension is needed.
func (c *client) mail(from string) error {
	return c.expect(2, commandTimeout, fmt.Sprintf("MAIL FROM:<%s>", from))
}

func (c *client) rcpt(to string) error {
	return c.expect(2, commandTimeout, fmt.Sprintf("RCPT TO:<%s>", to))
}

// data sends the content. ended reports that the end was sent, so that without a
// reply the outcome is unknown.
func (c *client) data(content []byte) (ended bool, err error) {
	if err := c.expect(3, dataTimeout, "DATA"); err != nil {
		return false, err
	}
	writer := textproto.NewWriter(bufio.NewWriter(c.conn)).DotWriter()
	stop := c.limit(blockTimeout)
	_, err = writer.Write(content)
	stop()
	if err != nil {
		return false, err
	}
	if err := writer.Close(); err != nil {
		return false, err // the connection did not take the end
	}
	r, err := c.readReply()
	if err == nil && (r.isMixed || r.code/100 == 3) {
		err = &reasonError{"the reply to the content is contradictory"}
	}
	if err != nil {
		return true, err
	}
	return true, r.want(2)
}

var (
	errEndless  = &reasonError{"the reply is too long"}
	errExchange = &reasonError{"the authentication exchange failed"}
)

package mailer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/edgeauth/edgeauth/authcore"
)

// Message is a rendered mail, ready for a Transport. All addresses in it have
// been through authcore.ParseAddress and no header value holds a control
// character, so none can end a line of SMTP or of a header (CWE-93).
type Message struct {
	// From is the author, with or without a name.
	From netmail.Address
	// ReplyTo is where answers go; its zero value means From.
	ReplyTo netmail.Address
	// To is the bare address.
	To string
	// Subject is one line.
	Subject string
	// Text and HTML are the same mail twice (RFC 2046, section 5.1.4).
	Text, HTML string
	// MessageID is the identifier without its angle brackets (RFC 5322, section
	// 3.6.4). It stays the same when delivery is tried again.
	MessageID string
	// Date is when the mail was rendered.
	Date time.Time

	// link and code are for Log alone; for other transports they stand in the
	// texts.
	link, code string
}

// String returns the identifier alone, because the rest is secret.
func (m *Message) String() string { return "<" + m.MessageID + ">" }

// GoString keeps %#v from printing the fields.
func (m *Message) GoString() string { return m.String() }

// LogValue keeps slog from printing the fields.
func (m *Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// errRecipient says that a mail was for something that is no address.
var errRecipient = errors.New("mailer: recipient is not an e-mail address")

// composer makes messages of what authcore asks for.
type composer struct {
	templates     *Templates
	from, replyTo netmail.Address
	now           func() time.Time
	random        io.Reader
}

func (c *composer) compose(mail authcore.LinkMail) (*Message, error) {
	to, err := authcore.ParseAddress(mail.To)
	if err != nil {
		return nil, errRecipient
	}
	content, err := c.templates.Render(mail)
	if err != nil {
		return nil, err
	}
	id, err := newMessageID(c.random, c.from.Address)
	if err != nil {
		return nil, err
	}
	return &Message{
		From: c.from, ReplyTo: c.replyTo, To: to.String(),
		Subject: content.Subject, Text: content.Text, HTML: content.HTML,
		MessageID: id, Date: c.now(),
		link: mail.Link, code: mail.Code,
	}, nil
}

// newMessageID returns 128 random bits at the domain of the author.
func newMessageID(random io.Reader, from string) (string, error) {
	var id [16]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return "", fmt.Errorf("mailer: message id: %w", err)
	}
	_, domain, _ := strings.Cut(from, "@")
	return hex.EncodeToString(id[:]) + "@" + domain, nil
}

// ParseSender reads the author of a mail: "login@example.com" or "Example
// <login@example.com>" (RFC 5322, section 3.4). The address itself must be one
// that authcore.ParseAddress takes.
func ParseSender(text string) (netmail.Address, error) {
	parsed, err := netmail.ParseAddress(text)
	if err != nil {
		return netmail.Address{}, fmt.Errorf("mailer: %q is not an address like \"Example <login@example.com>\"", text)
	}
	address, err := authcore.ParseAddress(parsed.Address)
	if err != nil {
		return netmail.Address{}, fmt.Errorf("mailer: the address in %q is not supported", text)
	}
	// Encoded words (RFC 2047) are decoded by now and may hide anything.
	if strings.ContainsFunc(parsed.Name, unicode.IsControl) {
		return netmail.Address{}, fmt.Errorf("mailer: the name in %q has control characters", text)
	}
	return netmail.Address{Name: parsed.Name, Address: address.String()}, nil
}

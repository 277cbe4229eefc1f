package mailer

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/edgeauth/edgeauth/authcore"
)

// Message is a rendered mail, ready for a Transport. All addresses were parsed by
// authcore.ParseAddress and no header value contains a control character, so none can
// end a line of SMTP or of a header (CWE-93).
type Message struct {
	// From is the author, with or without a name.
	From netmail.Address
	// ReplyTo is the address for replies; its zero value means From.
	ReplyTo netmail.Address
	// To is the bare address.
	To string
	// Subject is one line.
	Subject string
	// Text and HTML are two forms of the same content (RFC 2046, section 5.1.4).
	Text, HTML string
	// MessageID is the identifier without angle brackets (RFC 5322, section 3.6.4).
	// It is the same in every attempt.
	MessageID string
	// Date is the time of the first rendering.
	Date time.Time

	// link and code are for Log only; other transports use the texts.
	link, code string
	// raw is the encoded mail, or nil.
	raw []byte
}

// String returns only the identifier, because the rest is secret.
func (m *Message) String() string { return "<" + m.MessageID + ">" }

// GoString prevents that %#v prints the fields.
func (m *Message) GoString() string { return m.String() }

// LogValue prevents that slog prints the fields.
func (m *Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// errRecipient is returned for an invalid recipient.
var errRecipient = errors.New("mailer: the recipient is not a valid e-mail address")

// stamp contains the values that all attempts at a mail share.
type stamp struct {
	messageID string
	date      time.Time
}

// composer renders the mails of a Queue.
type composer struct {
	templates     *Templates
	from, replyTo netmail.Address
	// dkim signs the mails, unless it is nil.
	dkim *DKIM
	now  func() time.Time
}

// compose renders and encodes a mail. An empty stamp is replaced by a new one.
func (c *composer) compose(mail authcore.Mail, s stamp) (*Message, error) {
	to, err := authcore.ParseAddress(mail.To)
	if err != nil {
		return nil, errRecipient
	}
	mail.Title = cmp.Or(mail.Title, c.from.Name)
	content, err := c.templates.Render(mail)
	if err != nil {
		return nil, err
	}
	if s.messageID == "" {
		s = stamp{newMessageID(c.from.Address), c.now()}
	}
	m := &Message{
		From: c.from, ReplyTo: c.replyTo, To: to.String(),
		Subject: content.Subject, Text: content.Text, HTML: content.HTML,
		MessageID: s.messageID, Date: s.date,
		link: mail.Link, code: mail.Code,
	}
	if m.raw, err = encode(m); err == nil && c.dkim != nil {
		m.raw, err = c.dkim.sign(m.raw)
	}
	return m, err
}

// newMessageID returns 128 random bits and the author's domain.
func newMessageID(from string) string {
	_, domain, _ := strings.Cut(from, "@")
	return hex.EncodeToString(authcore.RandomBytes(16)) + "@" + domain
}

// mailboxOf returns an address in the form of SMTP.
func mailboxOf(text string) string {
	if address, err := authcore.ParseAddress(text); err == nil {
		return address.Mailbox()
	}
	return text
}

// maxSenderName limits the name of a sender, which can be a word that cannot be folded.
const maxSenderName = 256

// ParseSender parses the author of a mail: "login@example.com" or "Example
// <login@example.com>" (RFC 5322, section 3.4). authcore.ParseAddress must accept the
// address.
func ParseSender(text string) (netmail.Address, error) {
	parsed, err := netmail.ParseAddress(text)
	if err != nil {
		return netmail.Address{}, fmt.Errorf("mailer: %q is not valid; use an address such as \"Example <login@example.com>\"", text)
	}
	address, err := authcore.ParseAddress(parsed.Address)
	if err != nil {
		return netmail.Address{}, fmt.Errorf("mailer: the address in %q is not supported; use one such as login@example.com", text)
	}
	// Encoded words (RFC 2047) are decoded and may contain any character.
	if len(parsed.Name) > maxSenderName {
		return netmail.Address{}, fmt.Errorf("mailer: the name of %s is too long; use at most %d bytes", address, maxSenderName)
	}
	if strings.ContainsFunc(parsed.Name, unicode.IsControl) {
		return netmail.Address{}, fmt.Errorf("mailer: the name in %q contains control characters; remove them", text)
	}
	return netmail.Address{Name: parsed.Name, Address: address.String()}, nil
}

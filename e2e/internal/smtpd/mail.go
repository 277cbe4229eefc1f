package smtpd

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"
)

// Mail is a received mail.
type Mail struct {
	// From and To are those of the envelope.
	From, To string
	// User that authenticated.
	User string
	// Encrypted reports whether the connection was.
	Encrypted bool
	// Raw is the message with its headers.
	Raw []byte
}

// Parts are the readable parts of a mail.
type Parts struct {
	Header mail.Header
	// Subject is decoded.
	Subject    string
	Text, HTML string
}

// Parts takes the mail apart. It must be multipart/alternative with the plain
// text first (RFC 2046, section 5.1.4).
func (m Mail) Parts(t testing.TB) Parts {
	t.Helper()
	parts, err := m.parts()
	if err != nil {
		t.Fatalf("the mail cannot be read: %v\n%s", err, m.Raw)
	}
	return parts
}

func (m Mail) parts() (Parts, error) {
	message, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		return Parts{}, err
	}
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return Parts{}, fmt.Errorf("content type %q: %w", kind, err)
	}
	parts := Parts{Header: message.Header}
	if parts.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return Parts{}, err
	}
	var kinds []string
	for reader := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Parts{}, err
		}
		text, err := decode(part)
		if err != nil {
			return Parts{}, err
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			return Parts{}, err
		}
		kinds = append(kinds, kind)
		switch kind {
		case "text/plain":
			parts.Text = text
		case "text/html":
			parts.HTML = text
		}
	}
	if got := strings.Join(kinds, " "); got != "text/plain text/html" {
		return Parts{}, fmt.Errorf("the parts are %q", got)
	}
	return parts, nil
}

func decode(part *multipart.Part) (string, error) {
	var reader io.Reader = part
	switch encoding := strings.ToLower(part.Header.Get("Content-Transfer-Encoding")); encoding {
	case "quoted-printable":
		reader = quotedprintable.NewReader(part)
	case "", "7bit", "8bit":
	default:
		return "", fmt.Errorf("transfer encoding %q", encoding)
	}
	text, err := io.ReadAll(reader)
	return string(text), err
}

var (
	aloneCode = regexp.MustCompile(`(?m)^\s*([0-9]{6})\s*$`)
	href      = regexp.MustCompile(`href="([^"]+)"`)
)

// Code returns the six digits on a line without other text.
func (p Parts) Code(t testing.TB) string {
	t.Helper()
	found := aloneCode.FindStringSubmatch(p.Text)
	if found == nil {
		t.Fatalf("there is no code in the mail:\n%s", p.Text)
	}
	if !strings.Contains(p.HTML, found[1]) {
		t.Errorf("the code of the text is not in the HTML part")
	}
	return found[1]
}

// Link returns the one address beginning with prefix, which must be the same in
// both parts.
func (p Parts) Link(t testing.TB, prefix string) string {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(prefix)+`\S+`).FindAllString(p.Text, -1)
	if len(found) != 1 {
		t.Fatalf("%d links in the mail:\n%s", len(found), p.Text)
	}
	links := 0
	for _, match := range href.FindAllStringSubmatch(p.HTML, -1) {
		if target := html.UnescapeString(match[1]); target != found[0] {
			t.Errorf("the HTML part links to %q as well", target)
		}
		links++
	}
	if links == 0 {
		t.Errorf("the HTML part has no link:\n%s", p.HTML)
	}
	return found[0]
}

package mailer

import (
	"bytes"
	netmail "net/mail"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxLine is the longest line without encoding (RFC 5322, section 2.1.1).
const maxLine = 998

// encoded returns the mail in the format of RFC 5322 and MIME.
func (m *Message) encoded() ([]byte, error) {
	if m.raw != nil {
		return m.raw, nil
	}
	return encode(m)
}

func encode(m *Message) ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from := m.From
	msg.FromMailAddress(&from)
	if m.ReplyTo.Address != "" {
		replyTo := m.ReplyTo
		msg.ReplyToMailAddress(&replyTo)
	}
	// Messages from other packages may contain any recipient.
	to, err := authcore.ParseAddress(m.To)
	if err != nil || to.String() != m.To {
		return nil, &DeliveryError{Permanent: true, Stage: stageRecipient, Reason: "the address is not valid"}
	}
	msg.ToMailAddress(&netmail.Address{Address: m.To})
	msg.Subject(oneLine(m.Subject))
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetDateWithValue(m.Date)
	// Suppresses vacation notices and other automatic replies (RFC 3834, section 5; the
	// second field is that of Exchange). Bounces are welcome.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "OOF, AutoReply")
	// Prevents Gmail from grouping several mails into one conversation, which hides the
	// newest link.
	id, _, _ := strings.Cut(m.MessageID, "@")
	msg.SetGenHeader("X-Entity-Ref-ID", id)
	html := asciiHTML(m.HTML)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text, gomail.WithPartEncoding(encodingOf(m.Text)))
	msg.AddAlternativeString(gomail.TypeTextHTML, html, gomail.WithPartEncoding(encodingOf(html)))

	var buffer bytes.Buffer
	if _, err := msg.WriteTo(&buffer); err != nil {
		return nil, &DeliveryError{Permanent: true, Stage: stageContent, Reason: "encoding the mail failed"}
	}
	return buffer.Bytes(), nil
}

// encodingOf returns 7bit for ASCII text. Quoted-printable folds links, and some
// clients display or follow the folded form.
func encodingOf(text string) gomail.Encoding {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if len(line) > maxLine || strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' && r != '\t' }) {
			return gomail.EncodingQP
		}
	}
	return gomail.EncodingUSASCII
}

// rawText matches elements in which character references are not decoded.
var rawText = regexp.MustCompile(`(?is)<(?:style|script)\b.*?</(?:style|script)>|<!--.*?-->`)

// asciiHTML replaces characters outside of ASCII by character references, so that the
// HTML can be sent as 7bit.
func asciiHTML(html string) string {
	isASCII := func(text string) bool {
		return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
	}
	for _, element := range rawText.FindAllString(html, -1) {
		if !isASCII(element) {
			return html
		}
	}
	if isASCII(html) {
		return html
	}
	var out strings.Builder
	for _, r := range html {
		if r < utf8.RuneSelf {
			out.WriteRune(r)
		} else {
			out.WriteString("&#" + strconv.Itoa(int(r)) + ";")
		}
	}
	return out.String()
}

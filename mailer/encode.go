package mailer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxLine is the longest line without encoding (RFC 5322, section 2.1.1).
const maxLine = 998

// foldAt is the recommended length of lines in the header (RFC 2047, section 2).
const foldAt = 76

// encoded returns the mail in the format of RFC 5322 and MIME.
func (m *Message) encoded() ([]byte, error) {
	if m.raw != nil {
		return m.raw, nil
	}
	return encode(m)
}

func encode(m *Message) ([]byte, error) {
	// Messages from other packages may contain any recipient.
	to, err := authcore.ParseAddress(m.To)
	if err != nil || to.String() != m.To {
		return nil, &DeliveryError{Permanent: true, Stage: stageRecipient, Reason: "the address is not valid"}
	}
	var buffer bytes.Buffer
	body := multipart.NewWriter(&buffer)
	id, _, _ := strings.Cut(m.MessageID, "@")
	for _, field := range [][2]string{
		{"From", m.From.String()},
		{"To", "<" + to.Mailbox() + ">"},
		{"Reply-To", formatOptional(m.ReplyTo)},
		{"Subject", encodeText(oneLine(m.Subject))},
		{"Date", m.Date.Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.MessageID + ">"},
		// Suppresses vacation notices and other automatic replies (RFC 3834, section 5;
		// the second field is that of Exchange). Bounces are welcome.
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "OOF, AutoReply"},
		// Prevents Gmail from grouping several mails into one conversation, which hides
		// the newest link.
		{"X-Entity-Ref-ID", id},
		{"MIME-Version", "1.0"},
		{"Content-Type", "multipart/alternative; boundary=" + body.Boundary()},
	} {
		if field[1] != "" {
			buffer.WriteString(fold(field[0]+": "+field[1]) + "\r\n")
		}
	}
	buffer.WriteString("\r\n")
	err = errors.Join(addPart(body, "text/plain", m.Text), addPart(body, "text/html", asciiHTML(m.HTML)), body.Close())
	if err != nil {
		return nil, &DeliveryError{Permanent: true, Stage: stageContent, Reason: "encoding the mail failed"}
	}
	return buffer.Bytes(), nil
}

// encodeText returns unstructured text of a header field (RFC 2047, section 5). Package
// mime leaves ASCII as it is, but ASCII can look like an encoded word, and a long word
// cannot be folded.
func encodeText(text string) string {
	isLong := func(word string) bool { return len(word) > foldAt }
	encoded := mime.QEncoding.Encode("utf-8", text)
	if encoded != text || !strings.Contains(text, "=?") && !slices.ContainsFunc(strings.Fields(text), isLong) {
		return encoded
	}
	var words []string
	for part := range slices.Chunk([]byte(text), 45) { // 60 of at most 75 characters
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString(part)+"?=")
	}
	return strings.Join(words, " ")
}

// fold breaks a header field at blanks (RFC 5322, section 2.2.3). The first word remains
// in the line of the name.
func fold(field string) string {
	var out strings.Builder
	length := 0
	for i, word := range strings.Split(field, " ") {
		switch {
		case i == 0:
		case i > 1 && word != "" && length+1+len(word) > foldAt:
			out.WriteString("\r\n ")
			length = 1
		default:
			out.WriteByte(' ')
			length++
		}
		out.WriteString(word)
		length += len(word)
	}
	return out.String()
}

func addPart(body *multipart.Writer, kind, text string) error {
	header := textproto.MIMEHeader{}
	header.Set("Content-Type", kind+"; charset=utf-8")
	isPlain := fitsIn7Bit(text)
	header.Set("Content-Transfer-Encoding", "7bit")
	if !isPlain {
		header.Set("Content-Transfer-Encoding", "quoted-printable")
	}
	part, err := body.CreatePart(header)
	if err != nil {
		return err
	}
	if isPlain {
		_, err = io.WriteString(part, text)
		return err
	}
	encoded := quotedprintable.NewWriter(part)
	_, err = io.WriteString(encoded, text)
	return errors.Join(err, encoded.Close())
}

// fitsIn7Bit reports whether a text can be sent without encoding (RFC 2045, section
// 2.7). Quoted-printable folds links, and some clients display or follow the folded
// form.
func fitsIn7Bit(text string) bool {
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if len(line) > maxLine || strings.ContainsFunc(line, func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' && r != '\t' }) {
			return false
		}
	}
	return true
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

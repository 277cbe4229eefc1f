package mailer

import (
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
)

// headerCases are texts for header fields.
func headerCases() []string {
	return []string{
		"Your login link", "Grüße, höflich",
		strings.Repeat("A very long title of a site ", 80) + "end",
		strings.Repeat("Ein sehr langer Titel für Ümläute ", 80) + "Ende",
		strings.Repeat("日本語", 700), strings.Repeat("x", 3000), "a " + strings.Repeat("y", 1200) + " b",
		"=?utf-8?q?Your_bank?=", "a =?utf-8?b?QmFuaw==?= b", "?= =?", strings.Repeat("?= =? ", 300) + "end",
	}
}

// wantHeaderLines checks the lengths of the lines in the header (RFC 5322, section 2.1.1).
func wantHeaderLines(t *testing.T, raw []byte) {
	t.Helper()
	header, _, _ := strings.Cut(string(raw), "\r\n\r\n")
	for line := range strings.SplitSeq(header, "\r\n") {
		if len(line) > maxLine || strings.TrimSpace(line) == "" {
			t.Errorf("line of %d bytes in the header, want 1 to %d: %.60q", len(line), maxLine, line)
		}
	}
}

// TestSubjectsOfAnyLength reads subjects back from folded lines.
func TestSubjectsOfAnyLength(t *testing.T) {
	for _, subject := range headerCases() {
		m := testMessage()
		m.Subject = subject
		wantSubject(t, m)
	}
}

// readHeader encodes a mail, checks the lines of its header and reads it.
func readHeader(t *testing.T, m *Message) netmail.Header {
	t.Helper()
	raw, err := encode(m)
	if err != nil {
		t.Fatalf("encode() failed: %v", err)
	}
	wantHeaderLines(t, raw)
	got, err := netmail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatalf("ReadMessage() failed: %v", err)
	}
	return got.Header
}

func wantSubject(t *testing.T, m *Message) {
	t.Helper()
	decoded, err := new(mime.WordDecoder).DecodeHeader(readHeader(t, m).Get("Subject"))
	if err != nil || decoded != oneLine(m.Subject) {
		t.Errorf("subject = %.80q, %v, want %.80q", decoded, err, m.Subject)
	}
}

// FuzzSubject encodes any text as a subject.
func FuzzSubject(f *testing.F) {
	for _, subject := range headerCases() {
		f.Add(subject)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		m := testMessage()
		m.Subject = strings.ToValidUTF8(subject, "")
		wantSubject(t, m)
	})
}

// TestLongSenders folds names of authors.
func TestLongSenders(t *testing.T) {
	for _, name := range []string{"Example, Inc.", strings.Repeat("Long, Inc. ", 20) + "end", strings.Repeat("Grün ", 50) + "Ende", strings.Repeat("x", maxSenderName)} {
		m := testMessage()
		m.From.Name = name
		if from, err := readHeader(t, m).AddressList("From"); err != nil || *from[0] != m.From {
			t.Errorf("From = %v, %v, want %v", from, err, m.From)
		}
	}
}

// TestFitsIn7Bit refuses what would end or split a line elsewhere (RFC 2045, section 2.7).
func TestFitsIn7Bit(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "a\nb\n": true, "a\r\nb\r\n": true, "a\tb": true, strings.Repeat("x", maxLine): true,
		"a\rb": false, "a\r": false, "a\r\r\nb": false, "a\x00": false, "é": false, strings.Repeat("x", maxLine+1): false,
	} {
		if got := fitsIn7Bit(text); got != want {
			t.Errorf("fitsIn7Bit(%.20q) = %v, want %v", text, got, want)
		}
	}
}

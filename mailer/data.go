package mailer

import (
	"cmp"
	"errors"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/language"
)

// Data contains the values for templates.
type Data struct {
	// Kind is the kind of the mail: "" for a login link; see authcore.MailKind.
	Kind authcore.MailKind
	// Text contains the phrases of the template's language, with all values filled in.
	Text Phrases
	// Link is the complete link of a login or an invitation, or "" in a mail about an
	// account. It was checked, so that html/template accepts
	// links to apps ("myapp://…") as well. An internationalized host is in its ASCII
	// form.
	Link template.URL
	// Code is the six-digit alternative, or "".
	Code string
	// Title is the name of the site, otherwise its host.
	Title string
	// Address is the recipient.
	Address string
	// Lifetime of link and code in the template's language, for example "15 minutes";
	// English if the language is unknown.
	Lifetime string
	// Minutes is the lifetime in whole minutes.
	Minutes int
	// Expires is the end of the lifetime, in UTC.
	Expires time.Time
	// Requested is the time of the request, for example "2026-03-01 12:00 UTC", or "".
	Requested string
	// Browser and Network describe the client that sent the request, for example
	// "Firefox, Linux" and "192.0.2.0/24", or "".
	Browser, Network string
	// Client is the name of the client that sent the request, on one line, or "".
	Client string
	// Method is the login method that a notice is about, or "".
	Method string
	// Locale is the language of the template, for example "de".
	Locale string
	// Dir is the direction of the language: "ltr" or "rtl".
	Dir string
}

// Isolate returns a value for plain text. In a language from right to left the value is in
// a first strong isolate (Unicode UAX 9, section 2.4), which text around it does not
// reorder: "2026-03-01" would be shown as "01-03-2026". Links are not for it, because mail
// programs could take its end for a part of the address.
func (d Data) Isolate(value string) string {
	if d.Dir != "rtl" {
		return value
	}
	return "\u2068" + value + "\u2069"
}

// errLink is returned for a link that is not safe in a mail.
var errLink = errors.New("mailer: the link is not a URL that is safe to click")

func newData(mail authcore.Mail, locale string) (Data, error) {
	var link template.URL
	host, err := "", error(nil)
	if hasLink(mail.Kind) {
		link, host, err = safeLink(mail.Link)
	} else if mail.Site != "" {
		_, host, err = safeLink(mail.Site)
	}
	if err != nil {
		return Data{}, err
	}
	data := Data{
		Kind:     mail.Kind,
		Link:     link,
		Code:     oneLine(mail.Code),
		Title:    cmp.Or(oneLine(mail.Title), oneLine(host)),
		Address:  oneLine(mail.To),
		Lifetime: language.InWords(mail.Lifetime, locale),
		Minutes:  int(mail.Lifetime / time.Minute),
		Expires:  mail.Expires.UTC(),
		Browser:  language.Browser(mail.UserAgent),
		Network:  language.Network(mail.IP),
		Client:   oneLine(mail.Client),
		Locale:   locale,
		Dir:      language.Direction(locale),
	}
	if !mail.Requested.IsZero() {
		data.Requested = mail.Requested.UTC().Format("2006-01-02 15:04 UTC")
	}
	data.Text = phrasesOf(&data)
	data.Method = methodName(oneLine(mail.Method), data.Text.ByMail)
	return data, nil
}

// hasLink reports whether mails of this kind contain a link. They use the texts of the
// login mail.
func hasLink(kind authcore.MailKind) bool {
	return kind == authcore.MailLogin || kind == authcore.MailInvitation
}

// safeLink marks a link as safe for html/template, which by itself accepts only http,
// https and mailto. It refuses schemes that run code or read files, and characters that
// end an attribute, a tag or a line (CWE-79). It returns the host as well.
func safeLink(link string) (safe template.URL, host string, err error) {
	forbidden := func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune("<>\"'`\\", r)
	}
	parsed, err := url.Parse(link)
	if err != nil || parsed.Scheme == "" || strings.ContainsFunc(link, forbidden) {
		return "", "", errLink
	}
	active := []string{"javascript", "vbscript", "data", "file", "blob", "about", "view-source"}
	if slices.Contains(active, strings.ToLower(parsed.Scheme)) {
		return "", "", errLink
	}
	host = parsed.Hostname()
	if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		ascii, err := authcore.ParseDomain(host)
		if err != nil {
			return "", "", errLink
		}
		link = strings.Replace(link, host, ascii, 1)
		host = ascii
	}
	return template.URL(link), host, nil //nolint:gosec // G203: checked above
}

// oneLine removes characters that end a line, reorder it (bidirectional controls) or
// are invisible.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

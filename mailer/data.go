package mailer

import (
	"errors"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/edgeauth/edgeauth/authcore"
)

// Data is what a template can use.
type Data struct {
	// Link is the whole login link. It was checked to be a URL that is safe to
	// click, so that html/template takes links to apps ("myapp://…") as well.
	Link template.URL
	// Code is the six digits that do the same, or "".
	Code string
	// Lifetime of both in words of the template's language, for example "15
	// minutes"; English where the language is not known.
	Lifetime string
	// Minutes is the lifetime in whole minutes, for other languages.
	Minutes int
	// Expires is the end of the lifetime, in UTC.
	Expires time.Time
	// Client is the name of the client that asked, on one line, or "".
	Client string
	// Locale is the language of the template, for example "de".
	Locale string
}

// errLink says that a link is nothing to put before people.
var errLink = errors.New("mailer: link is not a URL that is safe to click")

func newData(mail authcore.LinkMail, locale string) (Data, error) {
	link, err := safeLink(mail.Link)
	if err != nil {
		return Data{}, err
	}
	return Data{
		Link:     link,
		Code:     oneLine(mail.Code),
		Lifetime: inWords(mail.Lifetime, locale),
		Minutes:  int(mail.Lifetime / time.Minute),
		Expires:  mail.Expires.UTC(),
		Client:   oneLine(mail.Client),
		Locale:   locale,
	}, nil
}

// safeLink vouches for a link towards html/template, which by itself would let
// through http, https and mailto only. Schemes that run code or read files, and
// characters that end an attribute, a tag or a line, are refused (CWE-79).
func safeLink(link string) (template.URL, error) {
	forbidden := func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune("<>\"'`\\", r)
	}
	parsed, err := url.Parse(link)
	if err != nil || parsed.Scheme == "" || strings.ContainsFunc(link, forbidden) {
		return "", errLink
	}
	active := []string{"javascript", "vbscript", "data", "file", "blob", "about", "view-source"}
	if slices.Contains(active, strings.ToLower(parsed.Scheme)) {
		return "", errLink
	}
	return template.URL(link), nil //nolint:gosec // G203: vouched for by the checks above
}

// oneLine drops everything that could end a line, reorder one (bidirectional
// controls) or hide in one.
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

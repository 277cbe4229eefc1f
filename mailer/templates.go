package mailer

import (
	"errors"
	"fmt"
	"maps"
	text "text/template"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/language"
)

// Content is a rendered mail.
type Content struct {
	// Subject is one line.
	Subject string
	// Text and HTML are the text/plain and text/html form.
	Text, HTML string
}

// Templates holds the texts of mails in one or more languages. It is immutable and
// safe for concurrent use.
type Templates struct{ login, account group }

// group holds the texts of mails with a link, or those of mails about accounts.
type group struct {
	byTag    map[string]*texts
	fallback *texts
}

// Render renders the mail in the language that matches mail.Locale best. The error
// contains the name of the template and no value.
func (t *Templates) Render(mail authcore.Mail) (Content, error) {
	from := &t.login
	if !hasLink(mail.Kind) {
		from = &t.account
	}
	chosen := from.lookup(mail.Locale)
	data, err := newData(mail, chosen.tag)
	if err != nil {
		return Content{}, err
	}
	content, err := chosen.render(data)
	if err != nil {
		return Content{}, errors.New("mailer: template failed: " + failedTemplate(err))
	}
	if mail.Kind == authcore.MailInvitation { // the subject of the login mail can be an option
		content.Subject = data.Text.Subject
	}
	content.Subject = oneLine(content.Subject)
	return content, nil
}

// lookup returns the texts in the best available language.
func (g *group) lookup(locale string) *texts {
	for _, tag := range language.Preferred(locale) {
		for _, one := range []string{tag, language.Canonical(tag)} {
			if found := g.byTag[one]; found != nil {
				return found
			}
		}
	}
	return g.fallback
}

// WithSubject returns templates with another subject of the login mail for all
// languages. It can use the fields of Data and is tried like a file.
func (t *Templates) WithSubject(subject string) (*Templates, error) {
	parsed, err := text.New("subject").Parse(subject)
	if err != nil {
		return nil, fmt.Errorf("mailer: %w", err)
	}
	changed := &Templates{account: t.account, login: group{byTag: maps.Clone(t.login.byTag)}}
	replace := func(old *texts) *texts {
		set := *old
		set.subject = parsed
		return &set
	}
	changed.login.fallback = replace(t.login.fallback)
	for tag, set := range t.login.byTag {
		changed.login.byTag[tag] = replace(set)
	}
	if err := changed.login.fallback.try(loginFiles().samples()); err != nil {
		return nil, err
	}
	return changed, nil
}

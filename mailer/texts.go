package mailer

import (
	"bytes"
	"errors"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"

	"github.com/edgeauth/edgeauth/authcore"
)

// texts is the mail in one language.
type texts struct {
	tag     string
	subject *text.Template
	text    *text.Template
	html    *html.Template
}

// in returns the texts for another language, whose phrases they then contain.
func (s *texts) in(tag string) *texts {
	other := *s
	other.tag = tag
	return &other
}

func (s *texts) render(data Data) (Content, error) {
	var subject, plain, rich bytes.Buffer
	if err := s.subject.Execute(&subject, data); err != nil {
		return Content{}, err
	}
	if err := s.text.Execute(&plain, data); err != nil {
		return Content{}, err
	}
	if err := s.html.Execute(&rich, data); err != nil {
		return Content{}, err
	}
	return Content{Subject: strings.TrimSpace(subject.String()), Text: plain.String(), HTML: rich.String()}, nil
}

// failedTemplate returns the name of the template that failed. The error itself may
// contain a value.
func failedTemplate(err error) string {
	var execution text.ExecError
	var escape *html.Error
	switch {
	case errors.As(err, &execution):
		return execution.Name
	case errors.As(err, &escape):
		return escape.Name
	default:
		return "unknown"
	}
}

// try renders the samples, which use all branches.
func (s *texts) try(samples []authcore.Mail) error {
	for _, mail := range samples {
		data, err := newData(mail, s.tag)
		if err != nil {
			return err
		}
		content, err := s.render(data)
		if err != nil {
			return fmt.Errorf("mailer: %w", err)
		}
		if err := checkContent(content); err != nil {
			return fmt.Errorf("mailer: template: %s: %w", s.subject.Name(), err)
		}
	}
	return nil
}

// checkContent requires a subject of one line (RFC 5322, sections 2.1.1 and 2.2).
func checkContent(content Content) error {
	const longest = 200
	switch {
	case content.Subject == "":
		return errors.New("the subject is empty")
	case strings.ContainsAny(content.Subject, "\r\n"):
		return errors.New("the subject has more than one line")
	case len(content.Subject) > longest:
		return fmt.Errorf("the subject is longer than %d bytes", longest)
	default:
		return nil
	}
}

package mailer

import (
	"cmp"
	"maps"
	"slices"

	"github.com/edgeauth/edgeauth/internal/language"
)

// Sample is a rendered sample mail.
type Sample struct {
	// Locale is the language tag.
	Locale string
	// Name is the kind of the mail, for example "login" or "address_changed".
	Name    string
	Content Content
}

// Samples renders a sample of every mail in every language, ordered by language and
// name. Title is the name of the site, or "".
func (t *Templates) Samples(title string) ([]Sample, error) {
	locales := maps.Clone(t.login.byTag)
	maps.Copy(locales, t.account.byTag)
	locales[language.Default] = nil
	samples := loginSamples()[1:]
	samples = append(samples, accountSamples()[1:]...)
	var rendered []Sample
	for _, locale := range slices.Sorted(maps.Keys(locales)) {
		for _, mail := range samples {
			mail.Locale, mail.Title = locale, cmp.Or(title, mail.Title)
			content, err := t.Render(mail)
			if err != nil {
				return nil, err
			}
			rendered = append(rendered, Sample{Locale: locale, Name: cmp.Or(string(mail.Kind), "login"), Content: content})
		}
	}
	return rendered, nil
}

package mailer

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/language"
)

// Phrases are the texts of the mail in one language. In [Data] all values are filled
// in.
type Phrases struct {
	// Subject contains the code if there is one.
	Subject string
	// Heading is the title of the mail.
	Heading string
	// Message is the text of a mail about an account.
	Message string
	// UseButton introduces the button, whose label is Button.
	UseButton, Button string
	// OpenLink introduces the link in plain text.
	OpenLink string
	// EnterCode introduces the code.
	EnterCode string
	// Validity describes the lifetime of the link, or of link and code.
	Validity string
	// Fallback introduces the link below the button.
	Fallback string
	// Warning asks not to share link and code.
	Warning string
	// Ignore is for recipients who did not request the mail.
	Ignore string
	// Labels of the details of the request.
	Address, Time, Browser, Network, Client string
	// Method is the label of the login method in a mail about an account. ByMail is the
	// method of links and codes.
	Method, ByMail string
}

// phrasesOf returns the phrases of a mail with its values.
func phrasesOf(data *Data) Phrases {
	groups := groupsOf(language.Choose(language.Tags(), data.Locale))
	var p Phrases
	for _, name := range groupNames(data.Kind, data.Code != "") {
		_ = json.Unmarshal(groups[name], &p) // the files are embedded and tested
	}
	p.Subject = cmp.Or(p.Subject, p.Heading)
	values := strings.NewReplacer("{title}", data.Title, "{code}", data.Code, "{lifetime}", data.Lifetime)
	texts := reflect.ValueOf(&p).Elem()
	for i := range texts.NumField() {
		text := texts.Field(i)
		text.SetString(values.Replace(text.String()))
	}
	return p
}

// groupsOf returns the groups of phrases in one of language.Tags. Each is the JSON form
// of some of the Phrases.
func groupsOf(tag string) map[string]json.RawMessage {
	var groups map[string]json.RawMessage
	content, _ := embedded.ReadFile("phrases/" + tag + ".json")
	_ = json.Unmarshal(content, &groups) // the files are embedded and tested
	return groups
}

// groupNames returns the groups of phrases for a kind of mail. Each group replaces phrases
// of those before it. Without a subject, the heading is the subject.
func groupNames(kind authcore.MailKind, hasCode bool) []string {
	switch {
	case kind == authcore.MailLogin && !hasCode:
		return []string{"login"}
	case kind == authcore.MailLogin:
		return []string{"login", "with_code"}
	case kind == authcore.MailInvitation:
		return []string{"login", "invitation"}
	case kind.IsNotice():
		return []string{"login", "notice", string(kind)}
	default:
		return []string{"login", "with_code", "confirmation", string(kind)}
	}
}

// methodName returns the name of a login method for users. byMail is the name of links
// and codes.
func methodName(method, byMail string) string {
	switch method {
	case "":
		return ""
	case "link", "code":
		return byMail
	}
	return authcore.ProviderTitle(method)
}

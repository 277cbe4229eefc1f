package mailer

import (
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/language"
)

// accountPhrases are the texts of mails about accounts in one language. A mail also
// uses the labels and subjectWithCode of Phrases.
type accountPhrases struct {
	// confirm is for a code that proves a new address, change for one that allows the
	// change of the current address. Their subject is subjectWithCode.
	confirm, change accountText
	// codeValidity describes the lifetime of a code, codeWarning asks not to share it.
	// codeIgnore and changeIgnore are for recipients who did not request the code for
	// their new and their current address.
	codeValidity, codeWarning, codeIgnore, changeIgnore string
	// The notices.
	newLogin, added, removed, addressChanged, deleted, keyCreated accountText
	factorAdded, factorRemoved, recoveryUsed                      accountText
	// advice ends a notice.
	advice string
	// method is the label of the login method, byMail the method of links and codes.
	method, byMail string
}

// accountText is the heading of a mail, which is also the subject of a notice, and its
// message.
type accountText struct{ heading, message string }

// text returns the texts of a kind of mail.
func (p *accountPhrases) text(kind authcore.MailKind) accountText {
	switch kind {
	case authcore.MailConfirmAddress:
		return p.confirm
	case authcore.MailConfirmChange:
		return p.change
	case authcore.MailNewLogin:
		return p.newLogin
	case authcore.MailLinked:
		return p.added
	case authcore.MailUnlinked:
		return p.removed
	case authcore.MailFactorAdded:
		return p.factorAdded
	case authcore.MailFactorRemoved:
		return p.factorRemoved
	case authcore.MailRecoveryUsed:
		return p.recoveryUsed
	case authcore.MailAddressChanged:
		return p.addressChanged
	case authcore.MailAccountDeleted:
		return p.deleted
	case authcore.MailKeyCreated:
		return p.keyCreated
	default:
		return accountText{}
	}
}

// ofAccount returns the phrases of a mail about an account.
func (p Phrases) ofAccount(kind authcore.MailKind, locale string) Phrases {
	account := accountPhrasesOf(locale)
	text := account.text(kind)
	p.Heading, p.Message, p.Method = text.heading, text.message, account.method
	p.Subject, p.Ignore = text.heading, account.advice
	if !kind.IsNotice() {
		p.Subject = p.subjectWithCode
		p.Validity, p.Warning = account.codeValidity, account.codeWarning
	}
	if !kind.IsNotice() {
		p.Ignore = account.changeIgnore
	}
	if kind == authcore.MailConfirmAddress {
		p.Ignore = account.codeIgnore
	}
	return p
}

// methodName returns the name of a login method for users.
func methodName(method, locale string) string {
	switch method {
	case "":
		return ""
	case "link", "code":
		return accountPhrasesOf(locale).byMail
	}
	name := method
	for _, suffix := range []string{"-oauth2", "-openidconnect", "-id", "-graph", "-oidc"} {
		name = strings.TrimSuffix(name, suffix)
	}
	known := map[string]string{
		"azuread": "Microsoft", "github": "GitHub", "gitlab": "GitLab", "linkedin": "LinkedIn", "mailru": "Mail.ru", "twitter": "X", "vk": "VK",
	}
	if title, found := known[name]; found {
		return title
	}
	if name == "" || name[0] < 'a' || name[0] > 'z' {
		return method
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// accountPhrasesOf returns the phrases of a language, or the English ones.
func accountPhrasesOf(locale string) accountPhrases {
	all := accountCatalogue()
	for _, tag := range append(language.Lookup(locale), language.Default) {
		if phrases, found := all[language.Canonical(tag)]; found {
			return phrases()
		}
	}
	return englishAccount()
}

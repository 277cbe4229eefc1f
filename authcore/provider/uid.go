package provider

import (
	"errors"
	"regexp"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// uidRule says what the uid that python-social-auth kept for a kind is here.
type uidRule struct {
	// form is what it looks like where it is the subject; looks says so in words.
	form  *regexp.Regexp
	looks string
	// refused is why it cannot be one; "" where it can.
	refused string
	// former reads one that names people by what is not their subject, and fails
	// to do so with "".
	former func(uid string) string
}

// The forms of subjects.
var (
	anyUID     = regexp.MustCompile(`^.+$`)
	decimalUID = regexp.MustCompile(`^[1-9][0-9]{0,31}$`)
	bracedUUID = regexp.MustCompile(`^\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$`)
	graphID    = regexp.MustCompile(`^[0-9A-Fa-f-]{1,64}$`)
	noAddress  = regexp.MustCompile(`^[^@]+$`)
)

// uidRuleOf returns the rule for a kind. One that is not listed is refused: that
// its uid is immutable at both ends is for somebody to find out first.
func uidRuleOf(kind string) uidRule {
	switch kind {
	case "discord", "facebook", "github", "gitlab", "mailru-oauth2", "twitch", "twitter-oauth2", "vk-id", "vk-oauth2", "yandex-oauth2":
		return uidRule{form: decimalUID, looks: "a number"}
	case "auth0", "oauth2", "oidc", "spotify":
		return uidRule{form: anyUID}
	case "apple-id", "linkedin-oauth2", "linkedin-openidconnect":
		return uidRule{form: noAddress, looks: "an id without an @"}
	case "bitbucket-oauth2":
		return uidRule{form: bracedUUID, looks: "a UUID in braces; a user name can be given to somebody else"}
	case "google-oauth2":
		return uidRule{form: decimalUID, looks: "an e-mail address or a number", former: googleUID}
	case "microsoft-graph":
		return uidRule{form: graphID, looks: "the id that Graph shows"}
	case "azuread-oauth2":
		return uidRule{refused: "it is the UPN, which the administrator of a tenant can change and give to somebody else"}
	case "keycloak", "okta-openidconnect":
		return uidRule{refused: "it is preferred_username, which can be changed and given to somebody else"}
	case "mailru":
		return uidRule{refused: "it is the e-mail address, and nothing that Mail.ru says proves whose it is now"}
	case "slack":
		return uidRule{refused: "it does not say which workspace the person belongs to"}
	default:
		return uidRule{refused: "nobody has made sure that it is the same id here"}
	}
}

// ImportNames implements authcore.Importer. A provider under a name of
// python-social-auth whose uid cannot be a subject is refused as that one,
// whatever its kind is here.
func (p *provider) ImportNames(uid, transferSub string) (authcore.ImportedNames, error) {
	names := authcore.ImportedNames{Issuer: p.accounts}
	if transferSub != "" {
		if p.spec.kind != "apple-id" {
			return names, errors.New("transfer_sub: only apple-id has one")
		}
		if !validSubject(transferSub) || !noAddress.MatchString(transferSub) {
			return names, errors.New("transfer_sub: is no transfer identifier of Apple's")
		}
		names.FormerSubject = transferSub
		if uid == "" {
			return names, nil
		}
	}
	rule := uidRuleOf(p.spec.kind)
	if byName := uidRuleOf(p.name); isKind(p.name) {
		if byName.refused != "" {
			rule = byName
		}
		if byName.former != nil && rule.former == nil && byName.former(uid) != "" {
			rule = uidRule{refused: "it is an e-mail address, by which " + p.spec.kind + " knows nobody; use type " + p.name}
		}
	}
	if rule.refused != "" {
		return names, errors.New("uid: cannot be carried over: " + rule.refused)
	}
	if rule.former != nil && strings.Contains(uid, "@") {
		if names.FormerSubject = rule.former(uid); names.FormerSubject == "" {
			return names, errors.New("uid: is no e-mail address")
		}
		return names, nil
	}
	if !validSubject(uid) || !rule.form.MatchString(uid) {
		if rule.looks == "" {
			return names, errors.New("uid: is empty, too long or no id")
		}
		return names, errors.New("uid: is not what " + p.spec.kind + " has, which is " + rule.looks)
	}
	names.Subject = uid
	return names, nil
}

func isKind(name string) bool {
	_, found := findSpec(name)
	return found
}

package provider

import (
	"errors"
	"regexp"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// uidRule describes the uid that python-social-auth stores for a kind.
type uidRule struct {
	// form matches a uid that equals the subject; looks describes it in words.
	form  *regexp.Regexp
	looks string
	// refused is the reason why the uid cannot be used, or "".
	refused string
	// former parses a uid that is not the subject and returns the former subject,
	// or "".
	former func(uid string) string
}

// The formats of subjects.
var (
	anyUID     = regexp.MustCompile(`^.+$`)
	decimalUID = regexp.MustCompile(`^[1-9][0-9]{0,31}$`)
	bracedUUID = regexp.MustCompile(`^\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$`)
	graphID    = regexp.MustCompile(`^[0-9A-Fa-f-]{1,64}$`)
	noAddress  = regexp.MustCompile(`^[^@]+$`)
)

// uidRuleOf returns the rule for a kind. Unlisted kinds are refused, because their
// uid may not be an immutable id at both ends.
func uidRuleOf(kind string) uidRule {
	switch kind {
	case "discord", "facebook", "github", "gitlab", "mailru-oauth2", "twitch", "twitter-oauth2", "vk-id", "vk-oauth2", "yandex-oauth2":
		return uidRule{form: decimalUID, looks: "a number"}
	case "auth0", "oauth2", "oidc", "spotify":
		return uidRule{form: anyUID}
	case "apple-id", "linkedin-oauth2", "linkedin-openidconnect":
		return uidRule{form: noAddress, looks: "an id without an @"}
	case "bitbucket-oauth2":
		return uidRule{form: bracedUUID, looks: "a UUID in braces, because user names can be reassigned"}
	case "google-oauth2":
		return uidRule{form: decimalUID, looks: "an e-mail address or a number", former: googleUID}
	case "microsoft-graph":
		return uidRule{form: graphID, looks: "the id from Microsoft Graph"}
	case "azuread-oauth2":
		return uidRule{refused: "it is the UPN, which a tenant's administrator can change and reassign"}
	case "keycloak", "okta-openidconnect":
		return uidRule{refused: "it is preferred_username, which can be changed and reassigned"}
	case "mailru":
		return uidRule{refused: "it is the e-mail address, and Mail.ru does not prove its current owner"}
	case "slack":
		return uidRule{refused: "it does not contain the workspace"}
	default:
		return uidRule{refused: "this kind has no migration rule"}
	}
}

// ImportNames implements [authcore.Importer]. The provider's name counts too: under
// a name of python-social-auth whose uid cannot be a subject, the uid is refused,
// whatever the kind is.
func (p *provider) ImportNames(uid, transferSub string) (authcore.ImportedNames, error) {
	names := authcore.ImportedNames{Issuer: p.accounts}
	if transferSub != "" {
		if p.spec.kind != "apple-id" {
			return names, errors.New("transfer_sub: only apple-id supports it; remove it")
		}
		if !validSubject(transferSub) || !noAddress.MatchString(transferSub) {
			return names, errors.New("transfer_sub: not a valid transfer identifier; use the one from Apple")
		}
		names.FormerSubject = transferSub
		if uid == "" {
			return names, nil
		}
	}
	rule := uidRuleOf(p.spec.kind)
	if byName := uidRuleOf(p.cfg.Name); isKind(p.cfg.Name) {
		if byName.refused != "" {
			rule = byName
		}
		if byName.former != nil && rule.former == nil && byName.former(uid) != "" {
			rule = uidRule{refused: "it is an e-mail address, which is not a subject of " + p.spec.kind + "; use type " + p.cfg.Name}
		}
	}
	if rule.refused != "" {
		return names, errors.New("uid: cannot be migrated: " + rule.refused)
	}
	if rule.former != nil && strings.Contains(uid, "@") {
		if names.FormerSubject = rule.former(uid); names.FormerSubject == "" {
			return names, errors.New("uid: not a valid e-mail address")
		}
		return names, nil
	}
	if !validSubject(uid) || !rule.form.MatchString(uid) {
		if rule.looks == "" {
			return names, errors.New("uid: empty, too long or not a valid id")
		}
		return names, errors.New("uid: not a valid id of " + p.spec.kind + ", which is " + rule.looks)
	}
	names.Subject = uid
	return names, nil
}

func isKind(name string) bool {
	_, found := findSpec(name)
	return found
}

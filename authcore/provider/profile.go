package provider

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

// Limits of values from a provider, in bytes.
const (
	// maxSubject is the limit of OpenID Connect Core 1.0, section 2.
	maxSubject = 255
	maxName    = 200
	maxAvatar  = 1024
)

// sanitize applies the rules for all providers.
func sanitize(raw authcore.Profile) (authcore.Profile, error) {
	if !validSubject(raw.Subject) {
		return authcore.Profile{}, failed("the account id is not valid")
	}
	profile := authcore.Profile{
		Issuer:    raw.Issuer,
		Subject:   raw.Subject,
		FirstName: cleanName(raw.FirstName),
		LastName:  cleanName(raw.LastName),
		Nickname:  cleanName(raw.Nickname),
		AvatarURL: cleanAvatar(raw.AvatarURL),
	}
	if validSubject(raw.FormerSubject) {
		profile.FormerSubject = raw.FormerSubject
	}
	if validSubject(raw.UnprovenFormer) {
		profile.UnprovenFormer = raw.UnprovenFormer
	}
	if address, err := authcore.ParseAddress(raw.Email); err == nil {
		profile.Email = address.String()
		profile.EmailVerified = raw.EmailVerified
	}
	return profile, nil
}

// validSubject reports whether a text is a usable id. An invalid id is never
// repaired, because two ids could become equal. "None" and similar words are the
// result of serializing a missing value: all accounts without an id would share
// them.
func validSubject(subject string) bool {
	switch strings.ToLower(subject) {
	case "", "none", "null", "nil", "undefined", "false", "0":
		return false
	}
	if len(subject) > maxSubject || !utf8.ValidString(subject) || strings.TrimSpace(subject) != subject {
		return false
	}
	return !strings.ContainsFunc(subject, func(r rune) bool {
		return r == utf8.RuneError || !unicode.IsPrint(r)
	})
}

// cleanName returns one line of valid UTF-8 of at most maxName bytes. It drops
// bidirectional controls, which make a text look like another one.
func cleanName(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		default:
			return r
		}
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxName {
		text = strings.TrimSpace(strings.ToValidUTF8(text[:maxName], ""))
	}
	return text
}

// cleanAvatar returns an https URL, or "".
func cleanAvatar(text string) string {
	address, err := url.Parse(text)
	if err != nil || address.Scheme != "https" || address.Hostname() == "" || address.User != nil {
		return ""
	}
	if canonical := address.String(); len(canonical) <= maxAvatar {
		return canonical
	}
	return ""
}

// userFields names the members of a document that describe a user; "" for none.
type userFields struct{ email, first, last, full, nickname, avatar string }

// profile reads the profile of an account with this id. The full name counts only if the
// document does not have its parts.
func (f userFields) profile(user object, id string) authcore.Profile {
	profile := authcore.Profile{
		Subject:   id,
		Email:     user.display(f.email),
		FirstName: user.display(f.first),
		LastName:  user.display(f.last),
		Nickname:  user.display(f.nickname),
		AvatarURL: user.display(f.avatar),
	}
	if !hasName(profile) {
		profile.FirstName, profile.LastName = splitName(user.display(f.full))
	}
	return profile
}

func hasName(profile authcore.Profile) bool {
	return profile.FirstName != "" || profile.LastName != ""
}

// splitName splits a full name at its last space. This is wrong for many names and
// used only if the provider does not return the parts.
func splitName(full string) (first, last string) {
	full = strings.TrimSpace(full)
	if i := strings.LastIndexFunc(full, unicode.IsSpace); i >= 0 {
		return strings.TrimSpace(full[:i]), strings.TrimSpace(full[i:])
	}
	return full, ""
}

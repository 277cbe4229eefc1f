package account

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName limits the length of a first or last name, in characters.
const maxName = 150

// CleanName returns a name in the form in which it is stored: without control,
// bidirectional and invisible characters, which could imitate another name or
// rearrange the text around it, and with single blanks. Names from users,
// providers and imports pass through it.
func CleanName(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || r == utf8.RuneError || invisible(r):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// ProviderName returns CleanName of a name that a provider reported, cut to the
// longest length that a user may set.
func ProviderName(text string) string {
	text = CleanName(text)
	if utf8.RuneCountInString(text) <= maxName {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:maxName]))
}

// invisible reports whether a character has no visible form of its own: format
// characters, among them those for bidirectional text, fillers, variation
// selectors and private use.
func invisible(r rune) bool {
	if unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Variation_Selector) {
		return true
	}
	switch r {
	case 0x034F, // combining grapheme joiner
		0x115F, 0x1160, 0x3164, 0xFFA0, // Hangul fillers
		0x17B4, 0x17B5, // Khmer inherent vowels
		0x2800: // braille blank
		return true
	}
	return false
}

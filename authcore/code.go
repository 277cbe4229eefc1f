package authcore

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// codeDigits is the length of the codes that users type.
const codeDigits = 6

// ParseCode returns the digits of a code as users type and paste it: with decimal
// digits of any script, and with blanks, hyphens and invisible characters anywhere.
// It reports false if the rest is not a code.
func ParseCode(text string) (code string, ok bool) {
	digits := make([]byte, 0, codeDigits)
	for _, r := range trimFullStop(Trim(text)) {
		if isFiller(r) {
			continue
		}
		digit := digitValue(r)
		if digit < 0 || len(digits) == codeDigits {
			return "", false
		}
		digits = append(digits, byte('0'+digit)) //nolint:gosec // G115: 0 to 9
	}
	return string(digits), len(digits) == codeDigits
}

// Trim removes blanks and invisible characters of Unicode around a text. They are
// copied along from mails and web pages.
func Trim(text string) string { return strings.TrimFunc(text, isInvisible) }

// isInvisible reports whether a character is a blank or has no glyph: format characters,
// variation selectors, fillers, the empty Braille pattern.
func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || r == '\u2800' ||
		unicode.In(r, unicode.Z, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// Characters that keyboards and word processors insert for a full stop or a hyphen.
const (
	// fullStops include those of East Asian, Arabic and Indic scripts.
	fullStops = ".\u3002\uff0e\uff61\ufe52\u06d4\u0964"
	// hyphens includes those that are not of the category Pd: the minus signs, the hyphen
	// bullet, and the long vowel sign of Japanese keyboards, which is on the hyphen key.
	hyphens = "\u2212\u02d7\u207b\u2043\u30fc\uff70"
)

// trimFullStop removes one full stop at the end.
func trimFullStop(text string) string {
	last, size := utf8.DecodeLastRuneInString(text)
	if strings.ContainsRune(fullStops, last) && size > 0 {
		return text[:len(text)-size]
	}
	return text
}

// isFiller reports whether a character within a code means nothing: a blank, a
// hyphen or dash, a minus sign, or an invisible character.
func isFiller(r rune) bool {
	return isInvisible(r) || unicode.Is(unicode.Pd, r) || strings.ContainsRune(hyphens, r)
}

// digitValue returns the value of a decimal digit of any script, or -1. Unicode
// keeps the ten digits of a script together and in order.
func digitValue(r rune) int {
	if '0' <= r && r <= '9' {
		return int(r - '0')
	}
	for _, digits := range unicode.Nd.R16 {
		if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
			return int(r-rune(digits.Lo)) % 10
		}
	}
	for _, digits := range unicode.Nd.R32 {
		if low, high := rune(digits.Lo), rune(digits.Hi); low <= r && r <= high { //nolint:gosec // G115: code points
			return int(r-low) % 10
		}
	}
	return -1
}

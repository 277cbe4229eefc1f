package authcore

import (
	"strings"
	"testing"
	"unicode"
)

func TestParseCode(t *testing.T) {
	for text, want := range map[string]string{
		"123456":                               "123456",
		"000000":                               "000000",
		" 123 456 ":                            "123456",
		"123\u00a0456":                         "123456",
		"1 2 3\t4\n5 6":                        "123456",
		"123-456":                              "123456",
		"123\u2011456":                         "123456",
		"123\u2013456":                         "123456",
		"123\u2212456":                         "123456",
		"\u200b123\u200d456\ufeff":             "123456",
		"123456.":                              "123456",
		"123456\u3002":                         "123456",
		"123456 . ":                            "123456",
		"\u202a123456\u202c":                   "123456",
		"\u0661\u0662\u0663\u0664\u0665\u0666": "123456", // Arabic-Indic
		"\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6": "123456", // Persian
		"\u0967\u0968\u0969\u096a\u096b\u096c": "123456", // Devanagari
		"\uff11\uff12\uff13\uff14\uff15\uff16": "123456", // fullwidth
		"\U0001d7cf23456":                      "123456", // mathematical
		"123\u30fc456":                         "123456", // the hyphen key of Japanese keyboards
		"123\uff70456":                         "123456",
		"123\uff0d456":                         "123456", // fullwidth hyphen
		"123\u02d7456":                         "123456", // modifier letter minus
		"123\u2043456":                         "123456", // hyphen bullet
		"123\ufe0f456":                         "123456", // variation selector
		"123\u034f456\U000e0100":               "123456",
		"\u3164123\uffa0456":                   "123456", // Hangul fillers
		"123\u2800456":                         "123456", // empty Braille pattern
		"123\u00ad456":                         "123456",
		"\u2066123456\u2069":                   "123456",
		"123456\u06d4":                         "123456", // Arabic full stop
		"123456\u0964\u200f":                   "123456", // danda
		"\u0be7\u0be8\u0be9\u0bea\u0beb\u0bec": "123456", // Tamil
		"\u2460\u2461\u2462\u2463\u2464\u2465": "",       // circled digits are not decimal digits
		"1\ufe0f\u20e323456":                   "",       // keycap
		"123_456":                              "",
		"123/456":                              "",
		"\u0661\u06f2\u0967456,":               "",
		"":                                     "",
		"12345":                                "",
		"1234567":                              "",
		"123456..":                             "",
		"12.3456":                              "",
		"12345a":                               "",
		"+123456":                              "",
		"1e5":                                  "",
		"\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2": "", // superscripts are not decimal digits
		"\u2164\u2164\u2164\u2164\u2164\u2164": "", // Roman numerals neither
		"\xff123456":                           "",
		strings.Repeat("0", 60_000):            "",
	} {
		code, ok := ParseCode(text)
		if ok != (want != "") || ok && code != want {
			t.Errorf("ParseCode(%.40q) = %q, %t, want %q", text, code, ok, want)
		}
	}
}

// Unicode keeps the ten digits of a script together, on which digitValue relies.
func TestDecimalDigitsAreTogether(t *testing.T) {
	for _, digits := range unicode.Nd.R16 {
		if digits.Stride != 1 || (digits.Hi-digits.Lo+1)%10 != 0 {
			t.Errorf("range %+v is not a multiple of ten digits", digits)
		}
	}
	for _, digits := range unicode.Nd.R32 {
		if digits.Stride != 1 || (digits.Hi-digits.Lo+1)%10 != 0 {
			t.Errorf("range %+v is not a multiple of ten digits", digits)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	for _, seed := range []string{"", "123456", "123 456.", "\u0661\u0662\u0663\u0664\u0665\u0666", "\xff", "-", "1e5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, ok := ParseCode(text)
		if ok && (len(code) != 6 || strings.Trim(code, "0123456789") != "") {
			t.Errorf("ParseCode(%q) = %q, want six digits", text, code)
		}
		if again, okAgain := ParseCode(code); ok && (!okAgain || again != code) {
			t.Errorf("ParseCode(%q) = %q, want %q", code, again, code)
		}
	})
}

package account_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore/account"
)

func TestCleanName(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"Ann":                    "Ann",
		" \t\u00a0Ann\u3000 ":    "Ann",
		"Ann\r\nLee":             "Ann Lee",
		"Ann\u2028Lee":           "Ann Lee",
		"Ann  Mary":              "Ann Mary",
		"Ann\x00\x1b[31m":        "Ann[31m",
		"\u202eeeL nnA":          "eeL nnA", // right-to-left override
		"\u2066Ann\u2069":        "Ann",     // isolates
		"A\u200bn\u00adn\ufeff":  "Ann",     // zero width, soft hyphen, BOM
		"\u3164":                 "",        // Hangul filler
		"\u2800\u115f\u034f":     "",        // braille blank, filler, joiner
		"Ann\U000e0041\ufe0f":    "Ann",     // tag, variation selector
		"\xffAnn\xc3":            "Ann",     // not UTF-8
		"José O'Neill-Łuś":       "José O'Neill-Łuś",
		"Ἀθηνᾶ 李 אנה محمد":       "Ἀθηνᾶ 李 אנה محمد",
		"e\u0301":                "e\u0301", // combining marks stay
		"\u200b \u200d\u202e \t": "",
	} {
		if got := account.CleanName(text); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestProviderName(t *testing.T) {
	for text, want := range map[string]string{
		" Ann\u202e ":                        "Ann",
		strings.Repeat("ä", 200):             strings.Repeat("ä", 150),
		strings.Repeat("x", 149) + " " + "y": strings.Repeat("x", 149),
	} {
		if got := account.ProviderName(text); got != want {
			t.Errorf("ProviderName(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	for _, seed := range []string{"Ann Lee", "\u202eAnn", "a\x00b", "\xff", "\u2028 \u3164", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name := account.CleanName(text)
		if !utf8.ValidString(name) || strings.TrimSpace(name) != name || account.CleanName(name) != name {
			t.Errorf("CleanName(%q) = %q, which is not clean", text, name)
		}
		if strings.ContainsAny(name, "\x00\r\n\t\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200b\u200f\ufeff") {
			t.Errorf("CleanName(%q) = %q, which contains invisible characters", text, name)
		}
	})
}

package provider

import (
	"reflect"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestSanitize(t *testing.T) {
	long := strings.Repeat("ä", 200)
	got, err := sanitize(authcore.Profile{
		Issuer: testIssuer, Subject: "CaSe|1", Email: " Ada@EXAMPLE.com ", EmailVerified: true,
		FirstName: "  Ada\r\nX-Evil:\x00 1\u202e ", LastName: long, Nickname: "ad\xffa\ufffd",
		AvatarURL: "https://a.example/ä",
	})
	want := authcore.Profile{
		Issuer: testIssuer, Subject: "CaSe|1", Email: "Ada@example.com", EmailVerified: true,
		FirstName: "Ada X-Evil: 1", LastName: long[:maxName], Nickname: "ada", AvatarURL: "https://a.example/%C3%A4",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("sanitize() =\n%+v, %v, want\n%+v", got, err, want)
	}
}

// TestSanitizeDropsAddress drops an invalid address together with its verification
// status, which must not apply to another address.
func TestSanitizeDropsAddress(t *testing.T) {
	for _, email := range []string{"", "ada", "a@b@example.com", "a@example.com\r\nBcc: b@example.com", "Ada <a@example.com>"} {
		got, err := sanitize(authcore.Profile{Subject: "1", Email: email, EmailVerified: true})
		if err != nil || got.Email != "" || got.EmailVerified {
			t.Errorf("sanitize(%q) = %+v, %v", email, got, err)
		}
	}
}

func TestCleanNameCutsAtRune(t *testing.T) {
	got := cleanName("a" + strings.Repeat("ä", 200))
	if got != "a"+strings.Repeat("ä", 99) {
		t.Errorf("cleanName() = %d bytes: %q", len(got), got)
	}
}

func TestCleanAvatar(t *testing.T) {
	for text, want := range map[string]string{
		"https://a.example/1.png?s=96":                        "https://a.example/1.png?s=96",
		"http://a.example/1.png":                              "",
		"javascript:alert(1)":                                 "",
		"data:image/png;base64,AA==":                          "",
		"//a.example/1.png":                                   "",
		"https://":                                            "",
		"https://user@a.example/":                             "",
		"https://a.example/\n":                                "",
		"https://a.example/" + strings.Repeat("a", maxAvatar): "",
	} {
		if got := cleanAvatar(text); got != want {
			t.Errorf("%q: cleanAvatar() = %q", text, got)
		}
	}
}

func TestSplitName(t *testing.T) {
	for full, want := range map[string][2]string{
		"":                    {"", ""},
		"Ada":                 {"Ada", ""},
		"Ada Lovelace":        {"Ada", "Lovelace"},
		" Ada King Lovelace ": {"Ada King", "Lovelace"},
		"Ada\u00a0Lovelace":   {"Ada", "Lovelace"},
	} {
		if first, last := splitName(full); first != want[0] || last != want[1] {
			t.Errorf("%q: splitName() = %q, %q", full, first, last)
		}
	}
}

func TestObject(t *testing.T) {
	o, ok := parseObject([]byte(`{"s":"x","n":null,"i":18446744073709551615,"big":18446744073709551616,"f":1.5,"e":1e3,
		"neg":-1,"zero":0,"t":true,"tt":"true","one":1,"l":["a","b"],"mixed":["a",1],"exp":1772366400.9,"T":false}`))
	if !ok {
		t.Fatal("parseObject() failed, want an object")
	}
	for name, want := range map[string]string{"i": "18446744073709551615", "one": "1"} {
		if got, ok := o.integer(name); got != want || !ok {
			t.Errorf("%s: integer() = %q, %v", name, got, ok)
		}
	}
	for _, name := range []string{"big", "f", "e", "neg", "zero", "s", "n", "t", "absent", "tt"} {
		if got, ok := o.integer(name); ok {
			t.Errorf("%s: integer() = %q", name, got)
		}
	}
	for name, want := range map[string]bool{"t": true, "tt": true, "one": false, "s": false, "n": false, "l": false, "absent": false, "T": false} {
		if got := o.truth(name); got != want {
			t.Errorf("%s: truth() = %v", name, got)
		}
	}
	if _, ok := o.text("i"); ok {
		t.Error("text() of a number = true, want false")
	}
	if got, ok := o.unix("exp"); !ok || got.Unix() != 1772366400 {
		t.Errorf("unix() = %v, %v", got, ok)
	}
	for _, name := range []string{"neg", "zero", "s", "n", "big", "absent", "l"} {
		if got, ok := o.unix(name); ok {
			t.Errorf("%s: unix() = %v", name, got)
		}
	}
	if _, ok := o.texts("mixed"); ok {
		t.Error("texts() of a mixed list = true, want false")
	}
	for _, text := range []string{"", "null", "[]", `"x"`, "1", "{}{}", "{", "{}x"} {
		if _, ok := parseObject([]byte(text)); ok {
			t.Errorf("parseObject(%q) = true, want false", text)
		}
	}
}

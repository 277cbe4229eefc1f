package authcore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ text, address, key string }{
		{"ann@example.com", "ann@example.com", "ann@example.com"},
		{"  ann@example.com ", "ann@example.com", "ann@example.com"},
		{"Ann.Lee@EXAMPLE.com", "Ann.Lee@example.com", "ann.lee@example.com"},
		{"ann+tag@example.com", "ann+tag@example.com", "ann+tag@example.com"},
		{"o'neil!#$%&*/=?^_`{|}~-@example.com", "o'neil!#$%&*/=?^_`{|}~-@example.com", "o'neil!#$%&*/=?^_`{|}~-@example.com"},
		{"ann@bücher.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		{"ann@BÜCHER.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
		{"dev@localhost", "dev@localhost", "dev@localhost"},
		{strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
	} {
		address, err := authcore.ParseAddress(c.text)
		if err != nil {
			t.Errorf("ParseAddress(%q): %v", c.text, err)
			continue
		}
		if address.String() != c.address || address.Key() != c.key {
			t.Errorf("ParseAddress(%q) = %s with key %s, want %s with key %s", c.text, address, address.Key(), c.address, c.key)
		}
	}
}

// Japanese carriers gave out addresses with dots in any place. They are sent quoted.
func TestAddressesOfCarriers(t *testing.T) {
	for text, mailbox := range map[string]string{
		"a..b@docomo.ne.jp": `"a..b"@docomo.ne.jp`, "Ab.@DOCOMO.ne.jp": `"Ab."@docomo.ne.jp`, ".a@ezweb.ne.jp": `".a"@ezweb.ne.jp`,
		"a.b@docomo.ne.jp": "a.b@docomo.ne.jp", "ann@example.com": "ann@example.com",
	} {
		address, err := authcore.ParseAddress(text)
		if err != nil || address.Mailbox() != mailbox {
			t.Errorf("ParseAddress(%q).Mailbox() = %q, %v, want %q", text, address.Mailbox(), err, mailbox)
		}
		if again, err := authcore.ParseAddress(address.String()); err != nil || again != address {
			t.Errorf("ParseAddress(%q) = %v, %v, want the same", address, again, err)
		}
	}
	for _, text := range []string{"..@docomo.ne.jp", "@docomo.ne.jp", "a..b@docomo.ne.jp.example", `a.".@docomo.ne.jp`, "a..b@mail.docomo.ne.jp"} {
		if address, err := authcore.ParseAddress(text); err == nil {
			t.Errorf("ParseAddress(%q) = %s, want an error", text, address)
		}
	}
}

// The error says which part of an address is not supported.
func TestUnsupportedAddresses(t *testing.T) {
	for text, want := range map[string]error{
		`"ann lee"@example.com`: authcore.ErrQuotedAddress, `"a@b"@example.com`: authcore.ErrQuotedAddress,
		"änn@example.com": authcore.ErrInternationalAddress, "用户@例え.jp": authcore.ErrInternationalAddress,
	} {
		if _, err := authcore.ParseAddress(text); !errors.Is(err, want) || !errors.Is(err, authcore.ErrInvalidAddress) {
			t.Errorf("ParseAddress(%q) = %v, want %v", text, err, want)
		}
	}
	for _, text := range []string{`"ann@example.com`, `""@example.com`, "ä nn@example.com", "ä..n@example.com", "ä\u200b@example.com", "\xff@example.com"} {
		_, err := authcore.ParseAddress(text)
		if !errors.Is(err, authcore.ErrInvalidAddress) || errors.Is(err, authcore.ErrQuotedAddress) || errors.Is(err, authcore.ErrInternationalAddress) {
			t.Errorf("ParseAddress(%q) = %v, want %v", text, err, authcore.ErrInvalidAddress)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "ann", "@", "ann@", "@example.com", "ann@@example.com", "ann@b@example.com",
		"ann@example", "ann@.com", "ann@example.", "ann@exa mple.com", "an n@example.com",
		".ann@example.com", "ann.@example.com", "a..n@example.com",
		`"ann"@example.com`, `"a b"@example.com`, "ann(comment)@example.com", "Ann <ann@example.com>",
		"ann@[192.0.2.1]", "ann@192.0.2.1", "ann@-example.com", "ann@example-.com", "ann@exam_ple.com",
		"ann@example.com\r\nBcc: all@example.com", "ann\x00@example.com", "ann@example.com\x00", "ann\n@example.com",
		"änn@example.com", "ann@example.com,bob@example.com", "ann@example.com;bob@example.com",
		"ann@xn--a.example", "ann@\xbc.com", "ann@\ufffd.com", "ann@\u202eexample.com", "ann@exam\u00adple.com.\u3002",
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 64) + ".com",
		"a@" + strings.Repeat("b.", 130) + "com",
	} {
		if address, err := authcore.ParseAddress(text); err == nil {
			t.Errorf("%q was taken as %s", text, address)
		}
	}
}

// Converting an international domain takes time that grows with the square of
// its length: a body full of it must not keep a core busy (CWE-1333).
func TestLongAddressesAreNotLookedAt(t *testing.T) {
	var domain strings.Builder
	for r := rune(0x4e00); r < 0x4e00+20_000; r++ {
		domain.WriteRune(r)
	}
	if took := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := authcore.ParseAddress("ann@" + domain.String() + ".com"); err == nil {
				b.Fatal("was taken")
			}
		}
	}); took.NsPerOp() > int64(100*time.Millisecond) {
		t.Errorf("took %s", took)
	}
}

func TestMailboxKey(t *testing.T) {
	for text, want := range map[string]string{
		"Ann@example.com":           "ann@example.com",
		"ann+tag@example.com":       "ann@example.com",
		"a.nn@example.com":          "a.nn@example.com",
		"+tag@example.com":          "+tag@example.com",
		"e.v.e+x@GMail.com":         "eve@gmail.com",
		"eve@googlemail.com":        "eve@gmail.com",
		"e.ve@gmail.com.example":    "e.ve@gmail.com.example",
		"first.last@googlemail.org": "first.last@googlemail.org",
	} {
		address, err := authcore.ParseAddress(text)
		if err != nil {
			t.Fatalf("ParseAddress(%q) failed: %v", text, err)
		}
		if got := address.MailboxKey(); got != want {
			t.Errorf("ParseAddress(%q).MailboxKey() = %q, want %q", text, got, want)
		}
	}
}

// FuzzParseAddress holds whatever is taken to what mail and storage rely on.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"ann@example.com", "ann@bücher.example", "a@b@c", "a\r\n@b.c", `"a"@b.c`, "ann@xn--bcher-kva.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := authcore.ParseAddress(text)
		if err != nil {
			return
		}
		out := address.String()
		if strings.Count(out, "@") != 1 || len(out) > 254 {
			t.Fatalf("%q became %q", text, out)
		}
		for i := range len(out) {
			if out[i] <= ' ' || out[i] >= 0x7f || strings.IndexByte(`<>()[]",:;\`, out[i]) >= 0 {
				t.Fatalf("%q became %q, which is not plain", text, out)
			}
		}
		again, err := authcore.ParseAddress(out)
		if err != nil || again != address {
			t.Fatalf("%q became %q, which parses as %v, %v", text, out, again, err)
		}
	})
}

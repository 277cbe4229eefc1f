package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// An attacker whose address or domain is denied uses an address that a provider
// verified in a form that our parser refuses, or another spelling of the same
// mailbox, so that the deny list does not match (CWE-20, CWE-178, CWE-184).
func TestDenyHoldsForOtherSpellings(t *testing.T) {
	for entry, c := range map[string]struct{ denied, admitted []string }{
		"evil.example": {
			denied: []string{
				"eve@evil.example", "eve@EVIL.example", "eve@sub.evil.example", "eve@a.b.evil.example",
				`"eve"@evil.example`, `"e v e"@evil.example`, `"a@b"@evil.example`, `"eve@good.example"@sub.evil.example`,
				"év@evil.example", "ев@evil.example", "eve@evil.example.", "eve @ evil.example", " eve@evil.example\t",
				"Eve <eve@evil.example>", "<eve@evil.example>", "eve@evil.example (at work)", "eve(x)@evil.example",
				"eve@(x)evil.example", "eve@ｅｖｉｌ.example", "eve＠evil.example", "eve@evil。example", "eve@evil\u200b.example",
				"eve@evil.example,ann@good.example", "ann@good.example, eve@evil.example", "mailto:eve@evil.example",
				strings.Repeat("e", 70) + "@evil.example", strings.Repeat("e", 2000) + "@good.example", "@evil.example",
				".eve@evil.example", "e..ve@evil.example", "eve@evil.example;x", "eve@[192.0.2.1]", "eve@evil", "eve@ev_il!.example",
			},
			admitted: []string{
				"eve@notevil.example", "eve@evil.example.good.test", "evil.example@good.test", "eve", "evil.example", "",
				`"eve"@good.example`, "év@good.example", `"eve@evil"@good.example`, "eve@evil.example.com",
			},
		},
		"eve@gmail.com": {
			denied: []string{
				"eve@gmail.com", "EVE@gmail.com", "e.ve@gmail.com", "e.v.e@gmail.com", "eve+x@gmail.com", "e.ve+x.y@GMail.com",
				"eve@googlemail.com", "e.v.e+x@googlemail.com", `"e.ve+x"@gmail.com`, `"eve"@googlemail.com`, `"e\ve"@gmail.com`,
				"Eve <e.ve@gmail.com>", "e..ve@gmail.com", "eve.@gmail.com",
			},
			admitted: []string{"evelyn@gmail.com", "eve@gmail.com.example", "eve@example.com", "x+eve@gmail.com"},
		},
		"e.v.e+spam@googlemail.com": {
			denied:   []string{"eve@gmail.com", "eve+other@gmail.com", "E.VE@googlemail.com"},
			admitted: []string{"evespam@gmail.com"},
		},
		"googlemail.com": {
			denied:   []string{"ann@gmail.com", "ann@googlemail.com", `"ann"@gmail.com`, "ann@sub.googlemail.com"},
			admitted: []string{"ann@example.com"},
		},
		"Eve.Lee@example.com": {
			denied: []string{
				"eve.lee@example.com", "EVE.LEE@example.com", "eve.lee+x@example.com", `"eve.lee"@example.com`, `"Eve.Lee+x"@example.com`,
			},
			admitted: []string{"evelee@example.com", "eve.lee@sub.example.com", "eve.lee@example.org"},
		},
		"news+bot@example.com": {
			denied:   []string{"news+bot@example.com", "NEWS+bot@example.com", `"news+bot"@example.com`},
			admitted: []string{"news@example.com", `"news"@example.com`},
		},
		"bücher.example": {
			denied:   []string{"ann@xn--bcher-kva.example", "ann@BÜCHER.example", "ann@sub.bücher.example", `"ann"@bücher.example`},
			admitted: []string{"ann@bucher.example"},
		},
	} {
		rules := newRules(t, account.Rules{Deny: []string{entry}})
		for _, proven := range []bool{true, false} {
			for _, address := range c.denied {
				if rules.Admits(account.Email{Address: address, Verified: proven}) {
					t.Errorf("deny %s: Admits(%.60q, verified %t) = true, want false", entry, address, proven)
				}
			}
			for _, address := range c.admitted {
				if !rules.Admits(account.Email{Address: address, Verified: proven}) {
					t.Errorf("deny %s: Admits(%.60q, verified %t) = false, want true", entry, address, proven)
				}
			}
		}
	}
}

// An attacker sends texts whose comparison takes long (CWE-407).
func TestDenyTakesBoundedTime(t *testing.T) {
	rules := newRules(t, account.Rules{Deny: []string{"evil.example"}})
	begin := time.Now()
	for _, text := range []string{
		strings.Repeat("@", 1024), strings.Repeat("é@", 340), "a@" + strings.Repeat("é.", 340), strings.Repeat("(", 1000) + "@x.example",
		strings.Repeat("a.", 500) + "@" + strings.Repeat("a.", 10), strings.Repeat("()", 500) + "@good.example", strings.Repeat("x", 1<<20),
	} {
		rules.Admits(verified(text))
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("Admits of long texts took %s, want less than 2s", took)
	}
}

// No spelling of a denied address or domain is admitted.
func FuzzDeny(f *testing.F) {
	for _, seed := range []string{"eve@evil.example", `"eve"@evil.example`, "Eve <eve@evil.example>", "a@b@c", "(", "@", "é＠evil。example"} {
		f.Add(seed)
	}
	rules := account.Rules{Deny: []string{"evil.example", "eve@gmail.com"}}
	rules.SetDefaults()
	if err := rules.Validate(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		admitted := rules.Admits(verified(text))
		if address, err := authcore.ParseAddress(text); err == nil && admitted {
			if address.Domain() == "evil.example" || address.MailboxKey() == "eve@gmail.com" {
				t.Errorf("Admits(%q) = true, want false", text)
			}
		}
		if strings.HasSuffix(text, "@evil.example") && admitted {
			t.Errorf("Admits(%q) = true, want false", text)
		}
	})
}

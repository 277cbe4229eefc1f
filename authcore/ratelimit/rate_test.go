package ratelimit

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestParty(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.7":               "192.0.2.7",
		"::ffff:192.0.2.7":        "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::%eth": "2001:db8:1:2::/64",
	} {
		if got := Party(netip.MustParseAddr(text)); got != want {
			t.Errorf("Party(%s) = %q, want %q", text, got, want)
		}
	}
	if got := Party(netip.Addr{}); got != "unknown" {
		t.Errorf("Party of an unknown address = %q, want unknown", got)
	}
}

func TestParties(t *testing.T) {
	rate := Rate{N: 60, Window: time.Minute}
	for text, want := range map[string][]Check{
		"192.0.2.7":        {{"login", "192.0.2.7", rate}},
		"::ffff:192.0.2.7": {{"login", "192.0.2.7", rate}},
		"2001:db8:1:203:4::5%eth0": {
			{"login", "2001:db8:1:203::/64", rate},
			{"login-56", "2001:db8:1:200::/56", Rate{N: 240, Window: time.Minute}},
			{"login-48", "2001:db8:1::/48", Rate{N: 960, Window: time.Minute}},
		},
	} {
		if got := Parties("login", netip.MustParseAddr(text), rate); !slices.Equal(got, want) {
			t.Errorf("Parties(%s) = %v, want %v", text, got, want)
		}
	}
	if got := Parties("login", netip.Addr{}, rate); !slices.Equal(got, []Check{{"login", "unknown", rate}}) {
		t.Errorf("Parties of an unknown address = %v", got)
	}
}

// An attacker with a whole /48 gets 16 budgets, not 65,536 (CWE-770).
func TestManyNetworksOfOneSite(t *testing.T) {
	l := New(Config{Store: newCounters()})
	passed := 0
	for i := range 1 << 11 {
		ip := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 1, byte(i), byte(i >> 8), 15: byte(i)})
		if l.Charge(t.Context(), Parties("login", ip, Rate{N: 5, Window: time.Hour})) == nil {
			passed++
		}
	}
	if passed != 80 {
		t.Errorf("%d requests from one /48 passed, want 80", passed)
	}
}

package ratelimit

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
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
		"192.0.2.7":        {{Name: "login", Party: "192.0.2.7", Rate: rate}},
		"::ffff:192.0.2.7": {{Name: "login", Party: "192.0.2.7", Rate: rate}},
		"2001:db8:1:203:4::5%eth0": {
			{Name: "login", Party: "2001:db8:1:203::/64", Rate: rate},
			{Name: "login-56", Party: "2001:db8:1:200::/56", Rate: Rate{N: 240, Window: time.Minute}},
			{Name: "login-48", Party: "2001:db8:1::/48", Rate: Rate{N: 960, Window: time.Minute}},
		},
	} {
		if got := Parties("login", netip.MustParseAddr(text), rate); !slices.Equal(got, want) {
			t.Errorf("Parties(%s) = %v, want %v", text, got, want)
		}
	}
	if got := Parties("login", netip.Addr{}, rate); !slices.Equal(got, []Check{{Name: "login", Party: "unknown", Rate: rate}}) {
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

// A network that uses up what it gets of a shared budget leaves half of it to others
// (CWE-770).
func TestHardeningSharedBudgets(t *testing.T) {
	for name, c := range map[string]struct{ attacker, other string }{
		"IPv6 /48": {"2001:db8:1:%x::1", "2001:db8:2::1"},
		"IPv4 /24": {"192.0.2.%d", "198.51.100.1"},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(Config{Store: newCounters()})
			rate, passed := Rate{N: 100, Window: time.Hour}, 0
			for i := range 200 {
				ip := netip.MustParseAddr(fmt.Sprintf(c.attacker, i))
				if l.Charge(t.Context(), Shared("link", "all", ip, rate)) == nil {
					passed++
				}
			}
			if passed != 50 {
				t.Errorf("%d requests of one network passed, want 50", passed)
			}
			if err := l.Charge(t.Context(), Shared("link", "all", netip.MustParseAddr(c.other), rate)); err != nil {
				t.Errorf("request of another network failed: %v", err)
			}
		})
	}
	if got := Shared("link", "all", netip.Addr{}, Rate{N: 3}); len(got) != 1 {
		t.Errorf("Shared() without an address = %v, want the whole budget", got)
	}
}

// A check that reports refuses nothing, and counts nothing beyond its rate.
func TestOver(t *testing.T) {
	store := newCounters()
	l := New(Config{Store: store})
	for i := range 4 {
		var over bool
		err := l.Charge(t.Context(), []Check{
			check("ip", "a", 9), {Name: "mailbox", Party: "ann", Rate: Rate{N: 2, Window: time.Hour}, Over: &over},
		})
		if err != nil || over != (i >= 2) {
			t.Errorf("request %d: over = %t, %v, want %t", i+1, over, err, i >= 2)
		}
	}
	if ip, mailbox := store.n("ip", "a"), store.n("mailbox", "ann"); ip != 4 || mailbox != 2 {
		t.Errorf("counters are %d and %d, want 4 and 2", ip, mailbox)
	}
}

func TestDoFailures(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		counts int
	}{
		"success": {nil, 0}, "wrong code": {&authcore.Error{Status: 400}, 1}, "unavailable": {authcore.Unavailable(errDown), 0},
	} {
		store := newCounters()
		_ = New(Config{Store: store}).DoFailures(t.Context(), []Check{check("ip", "a", 5)}, func() error { return c.err })
		if n := store.n("ip", "a"); n != c.counts {
			t.Errorf("%s: counter is %d, want %d", name, n, c.counts)
		}
	}
}

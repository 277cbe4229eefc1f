package ratelimit

import (
	"net/netip"
	"time"
)

// Rate is a number of requests within a window. A zero N means no limit.
type Rate struct {
	N      int
	Window time.Duration
}

// Limits are the budgets of a realm. All of them count known and unknown
// addresses alike, so that a limit does not reveal whether an account exists.
type Limits struct {
	// LinkPerAddress limits the mails to one mailbox that one network causes. All
	// networks together cause twice as many.
	LinkPerAddress Rate
	// LinkPerIP limits link requests of one network; see [Parties].
	LinkPerIP Rate
	// LinkPerClient limits link requests with one client key.
	LinkPerClient Rate
	// LinkOverall limits the mail that the realm sends.
	LinkOverall Rate
	// LoginPerIP limits login calls of one network.
	LoginPerIP Rate
	// CodePerIP limits wrong codes from one network.
	CodePerIP Rate
	// CodePerAddress limits wrong codes for one address, across its links.
	CodePerAddress Rate
	// AuthorizePerIP limits authorization requests of one network.
	AuthorizePerIP Rate
	// AuthorizeOverall limits the authorization requests of the realm.
	AuthorizeOverall Rate
	// FactorPerUser limits wrong codes for the second factor of a user.
	FactorPerUser Rate
	// RefreshPerSession limits refreshes of one session.
	RefreshPerSession Rate
}

// DefaultLimits suit a site with several people behind one address.
func DefaultLimits() Limits {
	return Limits{
		LinkPerAddress:    Rate{5, 15 * time.Minute},
		LinkPerIP:         Rate{60, 15 * time.Minute},
		LinkPerClient:     Rate{600, time.Minute},
		LinkOverall:       Rate{1200, time.Minute},
		LoginPerIP:        Rate{120, time.Minute},
		CodePerIP:         Rate{20, 15 * time.Minute},
		CodePerAddress:    Rate{15, time.Hour},
		AuthorizePerIP:    Rate{60, time.Minute},
		AuthorizeOverall:  Rate{6000, time.Minute},
		FactorPerUser:     Rate{5, 15 * time.Minute},
		RefreshPerSession: Rate{30, 15 * time.Minute},
	}
}

// Check applies a rate to one party. A check with a zero rate or an empty party
// is skipped.
type Check struct {
	// Name identifies the limit: one of a few, because an engine bounds the
	// counters for each name.
	Name string
	// Party is the limited party.
	Party string
	Rate  Rate
	// Over makes the check report instead of refuse: it is set to true if the rate is
	// exceeded, and the request is not counted in this check.
	Over *bool
}

// Party returns the party of a client address: the address itself, and for IPv6
// its /64, because one host commonly owns a whole /64.
func Party(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	switch {
	case !ip.IsValid():
		return "unknown"
	case ip.Is6():
		return network(ip, 64)
	}
	return ip.String()
}

// networks are the IPv6 networks that [Parties] counts. A provider assigns a
// customer between a /64 and a /48, so that the wider networks limit a customer
// who uses many /64, with room for several customers.
var networks = [...]struct {
	bits, factor int
	suffix       string
}{{64, 1, ""}, {56, 4, "-56"}, {48, 16, "-48"}}

// Parties returns the checks of a rate for a client address, from the narrowest
// network to the widest. An IPv6 address is counted as its /64, /56 and /48, with
// 1, 4 and 16 times the rate.
func Parties(name string, ip netip.Addr, rate Rate) []Check {
	ip = ip.Unmap().WithZone("")
	if !ip.Is6() {
		return []Check{{Name: name, Party: Party(ip), Rate: rate}}
	}
	checks := make([]Check, 0, len(networks))
	for _, n := range networks {
		checks = append(checks, Check{
			Name: name + n.suffix, Party: network(ip, n.bits), Rate: Rate{N: rate.N * n.factor, Window: rate.Window},
		})
	}
	return checks
}

// shareBits are the networks that [Shared] treats as one party: the widest that a
// single customer commonly gets.
const (
	shareBits4 = 24
	shareBits6 = 48
)

// Shared returns the checks of a budget that many networks share, such as that of
// a client. One network, an IPv4 /24 or an IPv6 /48, gets half of it, so that no
// network can use up the budget of the others (CWE-770).
func Shared(name, party string, ip netip.Addr, rate Rate) []Check {
	whole := Check{Name: name, Party: party, Rate: rate}
	if !ip.IsValid() || rate.N == 0 {
		return []Check{whole}
	}
	half := Rate{N: (rate.N + 1) / 2, Window: rate.Window}
	return []Check{{Name: name + "-network", Party: Site(ip) + " " + party, Rate: half}, whole}
}

// Site returns the network that a client address belongs to, wide enough that one
// customer rarely has two.
func Site(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	switch {
	case !ip.IsValid():
		return "unknown"
	case ip.Is4():
		return network(ip, shareBits4)
	}
	return network(ip, shareBits6)
}

func network(ip netip.Addr, bits int) string {
	return netip.PrefixFrom(ip, bits).Masked().String()
}

package authcore

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"time"
)

// Rate is how many requests are let through within a window. A zero N means
// that there is no limit.
type Rate struct {
	N      int
	Window time.Duration
}

// Limits bound what one party can cause. All are counted alike for known and
// unknown addresses, so that a limit tells nothing about who has an account.
type Limits struct {
	// LinkPerAddress bounds mails to one mailbox.
	LinkPerAddress Rate
	// LinkPerIP bounds link requests of one client address, an IPv6 one
	// counting as its /64.
	LinkPerIP Rate
	// LinkPerClient bounds link requests made with one client key.
	LinkPerClient Rate
	// LinkOverall bounds the mail that the realm sends.
	LinkOverall Rate
	// LoginPerIP bounds login calls of one client address.
	LoginPerIP Rate
	// AuthorizePerIP bounds social logins begun from one client address.
	AuthorizePerIP Rate
	// RefreshPerSession bounds how often one session is refreshed: each time
	// leaves a revocation that is kept until the old token has expired.
	RefreshPerSession Rate
}

// DefaultLimits suit a site with people behind shared addresses.
func DefaultLimits() Limits {
	return Limits{
		LinkPerAddress:    Rate{5, 15 * time.Minute},
		LinkPerIP:         Rate{60, 15 * time.Minute},
		LinkPerClient:     Rate{600, time.Minute},
		LinkOverall:       Rate{1200, time.Minute},
		LoginPerIP:        Rate{120, time.Minute},
		AuthorizePerIP:    Rate{60, time.Minute},
		RefreshPerSession: Rate{30, 15 * time.Minute},
	}
}

// limit is one rate applied to one party.
type limit struct {
	name, party string
	rate        Rate
}

// throttle counts a request against a limit and refuses it with 429 when it is
// over.
func (s *Service) throttle(ctx context.Context, l limit) error {
	if l.rate.N <= 0 || l.party == "" {
		return nil
	}
	now := s.now()
	tally, err := s.count(ctx, now, Counter{Limit: l.name, Party: l.party, Window: l.rate.Window})
	if err != nil {
		return unavailable(err)
	}
	if tally.N <= l.rate.N {
		return nil
	}
	return throttled(tally.Reset.Sub(now))
}

func throttled(wait time.Duration) *Error {
	seconds := int(math.Ceil(wait.Seconds()))
	return &Error{
		Status:     http.StatusTooManyRequests,
		Code:       CodeThrottled,
		Detail:     fmt.Sprintf("Request was throttled. Expected available in %d seconds.", seconds),
		RetryAfter: time.Duration(seconds) * time.Second,
	}
}

// party returns the name under which an IP address is counted: an IPv6 host
// commonly owns a whole /64 and could otherwise pick a new address for each
// request.
func party(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	if !ip.IsValid() {
		return "unknown"
	}
	return ip.String()
}

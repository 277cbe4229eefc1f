package edge

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// decide sends the token of the table at the present time.
func (s *site) decide() gate.Decision {
	header := gate.Header{"Authorization": {"Token " + s.tokens["good"]}}
	return s.Decide(gate.Request{Method: "GET", Path: "/", Header: header, Now: s.now})
}

// A host passes the feed part by part, and fetches documents by Cursor.
func TestFeedByHost(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_by_host":true,"revocations_max_age":"5m"`)
	take := func(part string, want Progress) {
		t.Helper()
		if got, err := s.Take(part, s.now); got != want || (err == nil) != (want == Partial || want == InForce) {
			t.Errorf("Take = %d, %v, want %d", got, err, want)
		}
	}
	s.expect(t, "good", "unavailable")
	take(s.tokens["feed_forged"], Refused)
	take(s.tokens["good"], Refused)
	take("", Refused)
	parts := strings.Split(longFeed(t, s.now), "\n")
	take(parts[0], Partial)
	s.expect(t, "good", "unavailable")
	take(parts[2], Refused)
	for i, part := range parts {
		take(part, map[bool]Progress{true: InForce, false: Partial}[i == 2])
	}
	if cursor := s.Cursor(); cursor != fmt.Sprint(s.now.Unix()-1) {
		t.Errorf("Cursor() = %q, want the date of the feed", cursor)
	}
	take(parts[0], NotNewer)
	s.expect(t, "good", "authenticated")
	s.Configure(parse(t, `"keys":`+jwks(t, "ed25519", "p256")+`,"revocations_by_host":true,"revocations_max_age":"5m"`))
	s.expect(t, "good", "authenticated") // the feed stays with fresh keys
	s.now = s.now.Add(5 * time.Minute)
	s.expect(t, "good", "unavailable")
	take(gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour), gate.Revocation{Kind: gate.RevokeSession, ID: gatecase.Session, Until: s.now.Add(time.Hour)}), InForce)
	s.expect(t, "good", "revoked")
	keyless := New(parse(t, `"keys_file":"/none","revocations_by_host":true`), s.files, func(string) {})
	if got, err := keyless.Take(parts[0], s.now); got != Refused || !errors.Is(err, errNoKeys) {
		t.Errorf("Take without keys = %d, %v, want errNoKeys", got, err)
	}
}

// An edge whose clock is ahead for a while, or behind, accepts no ended session
// (CWE-613).
func TestEdgeClockJumps(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_by_host":true`)
	until := s.now.Add(14 * 24 * time.Hour)
	if _, err := s.Take(gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour),
		gate.Revocation{Kind: gate.RevokeSession, ID: gatecase.Session, Until: until}), s.now); err != nil {
		t.Fatalf("Take = %v", err)
	}
	s.expect(t, "good", "revoked")
	for _, jump := range []time.Duration{40 * 24 * time.Hour, -40 * 24 * time.Hour, time.Minute, -time.Minute} {
		s.now = s.now.Add(jump)
		if d := s.decide(); d.Claims != nil {
			t.Errorf("Decide with the clock off by %v = %+v, want a refusal", jump, d)
		}
		s.now = s.now.Add(-jump)
		s.expect(t, "good", "revoked")
	}
}

// The operator chooses how long a gate serves without fresh revocations.
func TestStaleRevocations(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked","revocations_max_age":"10m"`)
	feed := func() string { return gatecase.MakeFeed(t, s.now, s.now.Add(24*time.Hour)) }
	s.write("revoked", "[]")
	s.expect(t, "good", "unavailable") // a list is not dated
	old := s.now
	s.write("revoked", feed())
	s.expect(t, "good", "authenticated")
	s.now = old.Add(10*time.Minute - time.Second)
	s.expect(t, "good", "authenticated")
	s.expect(t, "good", "unavailable")
	s.write("revoked", feed())
	s.expect(t, "good", "authenticated")
	s.now = old
	replayed := feed()
	s.now = old.Add(11 * time.Minute)
	s.write("revoked", replayed) // an older one does not replace it
	s.expect(t, "good", "authenticated")
	if last := s.warned[len(s.warned)-1]; !strings.Contains(last, "not newer") {
		t.Errorf("last warning: %q, want one about an older feed", last)
	}
}

// Without a limit by the operator the feed's own expiry is the limit.
func TestFeedEnds(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	s.write("revoked", gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))
	s.expect(t, "good", "authenticated")
	s.now = begin.Add(time.Hour - 2*time.Second)
	s.expect(t, "good", "authenticated")
	s.expect(t, "good", "unavailable")
}

// The content of a file replaces the one before, also if it is of another kind,
// and nothing of that stays in force.
func TestListInThePlaceOfAFeed(t *testing.T) {
	s := newSite(t, `"keys":`+jwks(t, "ed25519")+`,"revocations_file":"/revoked"`)
	s.write("revoked", s.tokens["feed_session"])
	s.expect(t, "good", "revoked")
	s.write("revoked", "[{") // as while it is being written
	s.expect(t, "good", "revoked")
	s.write("revoked", "[]")
	s.expect(t, "good", "authenticated")
	s.now = s.now.Add(30 * 24 * time.Hour) // the feed would have ended
	d := s.Decide(gate.Request{Method: "GET", Path: "/", Now: s.now})
	if d.Status != 401 {
		t.Errorf("Decide after the end of the former feed = %d %s, want 401", d.Status, d.Reason)
	}
	s.now = begin.Add(time.Minute)
	s.write("revoked", `[{"kind":"user","id":"`+gatecase.User+`"}]`)
	s.expect(t, "good", "user_inactive")
	s.write("revoked", gatecase.MakeFeed(t, s.now, s.now.Add(time.Hour)))
	s.expect(t, "good", "authenticated")
}

// A feed cannot be verified before there are keys.
func TestFeedBeforeKeys(t *testing.T) {
	s := newSite(t, `"keys_file":"/jwks.json","revocations_file":"/revoked"`)
	s.write("revoked", s.tokens["feed_session"])
	s.expect(t, "good", "unavailable")
	s.write("jwks.json", jwks(t, "ed25519"))
	s.expect(t, "good", "revoked")
}

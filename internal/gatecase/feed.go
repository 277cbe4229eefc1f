package gatecase

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// MakeFeed makes a feed of revocations, signed with the key ed25519.
func MakeFeed(tb testing.TB, issued, expires time.Time, revoked ...gate.Revocation) string {
	tb.Helper()
	m := &maker{tb: tb, keys: Keys(tb)}
	return m.feed("ed25519", Issuer, issued, expires, revoked...)
}

func (m *maker) feed(signer, issuer string, issued, expires time.Time, revoked ...gate.Revocation) string {
	m.tb.Helper()
	revocations := gate.NewRevocations()
	revocations.Apply(revoked...)
	payloads, err := revocations.FeedPayloads(gate.FeedOptions{Issuer: issuer, Issued: issued, Expires: expires})
	if err != nil {
		m.tb.Fatalf("FeedPayloads = %v", err)
	}
	var parts []string
	for payload := range payloads {
		input := gate.HeaderSegment(m.keys["ed25519"].Key, gate.PurposeRevocations) + "." + encode(payload)
		parts = append(parts, input+"."+encode(sign(m.tb, m.keys[signer].Private, input)))
	}
	return strings.Join(parts, "\n")
}

// feeds makes feeds of revocations.
func (m *maker) feeds() {
	user := gate.Revocation{Kind: gate.RevokeUser, ID: User, Until: expires}
	session := gate.Revocation{Kind: gate.RevokeSession, ID: Session, Until: expires}
	m.made["feed_user"] = m.feed("ed25519", Issuer, issued, expires, user)
	m.made["feed_session"] = m.feed("ed25519", Issuer, issued, expires, session)
	m.made["feed_roles"] = m.feed("ed25519", Issuer, issued, expires, gate.RolesChange(User, []string{"editor"}, issued, expires))
	m.made["feed_roles_of_old"] = m.feed("ed25519", Issuer, issued, expires,
		gate.RolesChange(User, []string{"admin"}, issued.Add(-time.Hour), expires))
	m.made["feed_empty"] = m.feed("ed25519", Issuer, issued, expires)
	m.made["feed_expired"] = m.feed("ed25519", Issuer, issued, issued.Add(time.Hour))
	m.made["feed_forged"] = m.feed("other_ed25519", Issuer, issued, expires)
	m.made["feed_of_another_issuer"] = m.feed("ed25519", "https://other.example.com", issued, expires)
	m.made["feed_incomplete"] = m.change(m.made["feed_session"], `"parts":1`, `"parts":2`)
	m.made["feed_delta"] = m.change(m.made["feed_session"], `"part":1`, `"delta":true,"since":"1000000000","part":1`)
	m.made["feed_a_minute_old"] = m.feed("ed25519", Issuer, clock.Add(-time.Minute), expires, session)
}

// change replaces a part of the payload of a feed and signs it anew.
func (m *maker) change(feed, old, replacement string) string {
	m.tb.Helper()
	_, body, _ := cut(feed)
	payload, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || !strings.Contains(string(payload), old) {
		m.tb.Fatalf("the feed %q does not contain %s: %v", payload, old, err)
	}
	input := gate.HeaderSegment(m.keys["ed25519"].Key, gate.PurposeRevocations) + "." + encode(strings.Replace(string(payload), old, replacement, 1))
	return input + "." + encode(sign(m.tb, m.keys["ed25519"].Private, input))
}

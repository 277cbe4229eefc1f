package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/keys"
	core "github.com/edgeauth/edgeauth/authcore/realm"
	inmemory "github.com/edgeauth/edgeauth/storage/memory"
)

// newRing returns the keys of an empty store.
func newRing(b *testing.B, algorithm string) *keys.Ring {
	b.Helper()
	ring := keys.New(keys.Config{
		Store: inmemory.New(), Algorithm: algorithm, Rotation: core.DefaultKeyRotation, Lifetime: core.DefaultTokenLifetime,
	})
	if err := ring.Maintain(b.Context(), time.Now()); err != nil {
		b.Fatalf("Maintain: %v", err)
	}
	return ring
}

// BenchmarkSign measures the signing of a token.
func BenchmarkSign(b *testing.B) {
	for _, algorithm := range keys.Algorithms() {
		b.Run(algorithm, func(b *testing.B) {
			r := &realm{now: time.Now(), ring: newRing(b, algorithm)}
			claims := r.claims(0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.sign(claims); err != nil {
					b.Fatalf("sign: %v", err)
				}
			}
		})
	}
}

// feedEntries is the number of revocations in the full list, deltaEntries that in the
// delta.
const feedEntries, deltaEntries = 100_000, 100

// BenchmarkFeed measures the documents of the feed at the issuer and at a verifier.
func BenchmarkFeed(b *testing.B) {
	now := time.Now().Truncate(time.Second)
	ring := newRing(b, gate.EdDSA)
	jwks, _ := ring.JWKS()
	set, err := gate.ParseJWKS(jwks)
	if err != nil {
		b.Fatalf("ParseJWKS: %v", err)
	}
	b.Run("signature alone", func(b *testing.B) {
		for b.Loop() {
			if _, err := ring.SignPublic(gate.PurposeRevocations, []byte("{}"), now); err != nil {
				b.Fatalf("SignPublic: %v", err)
			}
		}
		b.ReportMetric(0, "bytes")
	})
	revoked := gate.NewRevocations()
	revoke := func(kind string, n int) {
		entries := make([]gate.Revocation, n)
		for i := range entries {
			entries[i] = gate.Revocation{Kind: gate.RevokeSession, ID: uuid(kind, i), Until: now.Add(24 * time.Hour)}
		}
		revoked.Apply(entries...)
	}
	document := func(b *testing.B, since string) (parts []string) {
		b.Helper()
		payloads, err := revoked.FeedPayloads(gate.FeedOptions{Issuer: issuer, Issued: now, Expires: now.Add(time.Hour), Since: since})
		if err != nil {
			b.Fatalf("FeedPayloads(%q): %v", since, err)
		}
		for payload := range payloads {
			part, err := ring.SignPublic(gate.PurposeRevocations, payload, now)
			if err != nil {
				b.Fatalf("SignPublic: %v", err)
			}
			parts = append(parts, part)
		}
		return parts
	}
	measure := func(name, since string) {
		parts := document(b, since)
		b.Run(name+": make and sign", func(b *testing.B) {
			for b.Loop() {
				document(b, since)
			}
			b.ReportMetric(float64(len(strings.Join(parts, "\n"))), "bytes")
		})
		b.Run(name+": verify and parse", func(b *testing.B) {
			for b.Loop() {
				for _, part := range parts {
					if _, err := set.RevocationFeed(part, issuer, now); err != nil {
						b.Fatalf("RevocationFeed: %v", err)
					}
				}
			}
			b.ReportMetric(float64(len(strings.Join(parts, "\n"))), "bytes")
		})
	}
	revoke("ended", feedEntries)
	revoked.Refreshed(now.Add(-30 * time.Minute)) // older than the delta
	measure(fmt.Sprintf("%d entries", feedEntries), "")
	revoke("ended lately", deltaEntries)
	revoked.Refreshed(now)
	since := revoked.FeedSince(strconv.FormatInt(now.Unix(), 10), now)
	if since == "" {
		b.Fatal("FeedSince returned no cursor for a delta")
	}
	measure(fmt.Sprintf("delta of %d entries", deltaEntries), since)
}

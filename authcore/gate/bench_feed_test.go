package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkFeed measures documents of 100,000 revocations, and the deltas of 100
// that follow.
func BenchmarkFeed(b *testing.B) {
	const n = 100_000
	source := manyRevocations(n)
	source.Refreshed(testNow.Add(-30 * time.Minute))
	full := signFeed(b, source, EdDSA, feedOptions(testNow.Add(-30*time.Minute), ""))
	for i := range 100 {
		source.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint(i), Until: testNow.Add(time.Hour)})
	}
	source.Refreshed(testNow)
	delta := signFeed(b, source, EdDSA, feedOptions(testNow, fmt.Sprint(testNow.Unix())))
	keys := testKeySet(b, EdDSA)
	b.Run("make full", func(b *testing.B) {
		for b.Loop() {
			full = signFeed(b, source, EdDSA, feedOptions(testNow.Add(-30*time.Minute), ""))
		}
		b.ReportMetric(float64(len(strings.Join(full, "\n"))), "bytes")
	})
	b.Run("make delta", func(b *testing.B) {
		for b.Loop() {
			delta = signFeed(b, source, EdDSA, feedOptions(testNow, fmt.Sprint(testNow.Unix())))
		}
		b.ReportMetric(float64(len(delta[0])), "bytes")
	})
	b.Run("read part", func(b *testing.B) {
		for b.Loop() {
			if _, err := keys.RevocationFeed(full[0], testIssuer, testNow); err != nil {
				b.Fatalf("RevocationFeed = %v", err)
			}
		}
	})
	loaded := NewRevocations()
	if err := loadFeed(b, loaded, full, testNow); err != nil {
		b.Fatalf("Load = %v", err)
	}
	b.Run("load delta", func(b *testing.B) {
		feed, err := keys.RevocationFeed(delta[0], testIssuer, testNow)
		if err != nil {
			b.Fatalf("RevocationFeed = %v", err)
		}
		feed.since = 1
		for b.Loop() {
			feed.issued++
			feed.read = feed.issued
			if _, err := loaded.Load(feed); err != nil {
				b.Fatalf("Load = %v", err)
			}
		}
	})
	claims := testClaims()
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := loaded.Check(&claims); err != nil {
				b.Fatalf("Check = %v", err)
			}
		}
	})
}

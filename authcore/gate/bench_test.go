package gate

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

func BenchmarkParseAuthorization(b *testing.B) {
	values := []string{"Token " + testSigners()[EdDSA].sign(testClaims())}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseAuthorization(values); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParsePayload(b *testing.B) {
	_, payload, _ := segments(testSigners()[EdDSA].sign(testClaims()))
	body, ok := decode(payload)
	if !ok {
		b.Fatal("not base64")
	}
	text := string(body)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := parsePayload(text); !ok {
			b.Fatal("not a payload")
		}
	}
}

// BenchmarkVerifyNew is a token that was not seen before.
func BenchmarkVerifyNew(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(algorithm, func(b *testing.B) {
			cfg := testConfig()
			cfg.CacheSize = -1
			v := newTestVerifier(b, cfg)
			benchmarkVerify(b, v, testSigners()[algorithm].sign(testClaims()), nil)
		})
	}
}

// BenchmarkVerifyKnown is a token in the cache, by the number of revocations.
func BenchmarkVerifyKnown(b *testing.B) {
	for _, revocations := range []int{0, 1000, 1_000_000} {
		b.Run(fmt.Sprint(revocations), func(b *testing.B) {
			cfg := testConfig()
			cfg.Revocations = manyRevocations(revocations)
			cfg.Seen = func(*Claims, time.Time) {}
			benchmarkVerify(b, newTestVerifier(b, cfg), testSigners()[EdDSA].sign(testClaims()), nil)
		})
	}
}

// BenchmarkVerifyKnownDistinct rotates through 10,000 tokens in the cache.
func BenchmarkVerifyKnownDistinct(b *testing.B) {
	cfg := testConfig()
	cfg.CacheSize = 0
	cfg.Revocations = manyRevocations(1000)
	v := newTestVerifier(b, cfg)
	tokens := make([]string, 10_000)
	for i := range tokens {
		tokens[i] = testSigners()[HS256].distinct(i)
		if _, err := v.Verify(tokens[i], testNow); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := v.Verify(tokens[i], testNow); err != nil {
			b.Fatal(err)
		}
		i = (i + 1) % len(tokens)
	}
}

// BenchmarkVerifyRefused is what an attacker can make the gate do.
func BenchmarkVerifyRefused(b *testing.B) {
	s := testSigners()[EdDSA]
	good := s.sign(testClaims())
	header, payload, signature := segments(good)
	expired := testClaims()
	expired.ExpiresAt = testNow.Unix()
	stranger := s
	stranger.key.ID = "unknown"
	for _, test := range []struct {
		name, token string
		want        error
	}{
		{"signature", header + "." + payload + "." + flip(signature), ErrSignature},
		{"expired", s.sign(expired), ErrExpired},
		{"unknown key", stranger.sign(testClaims()), ErrUnknownKey},
		{"malformed", good[:len(good)-1], ErrMalformed},
		{"noise", string(make([]byte, 5000)), ErrMalformed},
	} {
		b.Run(test.name, func(b *testing.B) {
			benchmarkVerify(b, newTestVerifier(b, testConfig()), test.token, test.want)
		})
	}
}

func benchmarkVerify(b *testing.B, v *Verifier, token string, want error) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(token, testNow); err != want {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecide is the whole hot path, also by several cores at once.
func BenchmarkDecide(b *testing.B) {
	cfg := testConfig()
	cfg.Revocations = manyRevocations(1000)
	cfg.Seen = func(*Claims, time.Time) {}
	v := newTestVerifier(b, cfg)
	p := Policy{MaxAge: time.Hour, Require: []Requirement{{"email_domain", []string{"example.com"}}}}
	request := Request{Method: "GET", Now: testNow, Header: Header{"Authorization": []string{"Token " + testSigners()[EdDSA].sign(testClaims())}}}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if d := p.Decide(v, request); d.Status != 0 {
				b.Error(d.Err)
			}
		}
	})
}

func BenchmarkRevocationsCheck(b *testing.B) {
	for _, n := range []int{0, 1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := manyRevocations(n)
			claims := testClaims()
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Check(&claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRevocationsApply(b *testing.B) {
	r := NewRevocations()
	var n atomic.Int64
	b.ReportAllocs()
	for b.Loop() {
		id := fmt.Sprintf("9c8b7a69-5847-4635-a241-%012x", n.Add(1))
		r.Apply(Revocation{Kind: RevokeSession, ID: id, Until: testNow})
	}
}

func BenchmarkIsIdentityHeader(b *testing.B) {
	names := []string{
		"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Type",
		"Cookie", "Origin", "Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "X-Requested-With",
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			if IsIdentityHeader(name) {
				b.Fatal(name)
			}
		}
	}
}

func BenchmarkHeaderValues(b *testing.B) {
	claims := testClaims()
	b.ReportAllocs()
	for b.Loop() {
		for _, header := range Headers {
			_ = HeaderValue(&claims, header)
		}
	}
}

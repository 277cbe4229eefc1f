package gate

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

func BenchmarkParseCredentials(b *testing.B) {
	values := []string{"Token " + testSigners()[EdDSA].sign(testClaims())}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Credentials{}).parse(values); err != nil {
			b.Fatalf("Credentials.parse = %v", err)
		}
	}
}

func BenchmarkParsePayload(b *testing.B) {
	_, payload, _ := segments(testSigners()[EdDSA].sign(testClaims()))
	body, ok := decode(payload)
	if !ok {
		b.Fatal("the payload is not base64url")
	}
	text := string(body)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := parsePayload(text); !ok {
			b.Fatal("parsePayload failed")
		}
	}
}

// BenchmarkVerifyNew verifies a token that is not in the cache.
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

// BenchmarkVerifyKnown verifies a token in the cache, by the number of revocations.
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
			b.Fatalf("v.Verify = %v", err)
		}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := v.Verify(tokens[i], testNow); err != nil {
			b.Fatalf("v.Verify = %v", err)
		}
		i = (i + 1) % len(tokens)
	}
}

// BenchmarkVerifyRefused verifies tokens of an attacker.
func BenchmarkVerifyRefused(b *testing.B) {
	s := testSigners()[EdDSA]
	good := s.sign(testClaims())
	header, payload, signature := segments(good)
	expired := testClaims()
	expired.ExpiresAt = testNow.Unix()
	unknown := s
	unknown.key.ID = "unknown"
	for _, test := range []struct {
		name, token string
		want        error
	}{
		{"signature", header + "." + payload + "." + flip(signature), ErrSignature},
		{"expired", s.sign(expired), ErrExpired},
		{"unknown key", unknown.sign(testClaims()), ErrUnknownKey},
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
			b.Fatalf("v.Verify = %v", err)
		}
	}
}

// BenchmarkRequest measures the whole hot path, from Clean to Forward, on all cores: with
// the token in the header, and in a cookie, alone and among others.
func BenchmarkRequest(b *testing.B) {
	token := testSigners()[EdDSA].sign(testClaims())
	for _, test := range []struct {
		name, field, value string
		browser            *Browser
	}{
		{"header", "Authorization", "Token " + token, nil},
		{"header with login page", "Authorization", "Token " + token, testBrowser(b)},
		{"cookie", "Cookie", "__Host-edgeauth=" + token, testBrowser(b)},
		{"cookie among others", "Cookie", "theme=dark; __Host-edgeauth=" + token + "; lang=en", testBrowser(b)},
	} {
		b.Run(test.name, func(b *testing.B) { benchmarkRequest(b, test.browser, test.field, []string{test.value}) })
	}
}

func benchmarkRequest(b *testing.B, browser *Browser, field string, credentials []string) {
	b.Helper()
	cfg := testConfig()
	cfg.Revocations = manyRevocations(1000)
	cfg.Seen = func(*Claims, time.Time) {}
	v := newTestVerifier(b, cfg)
	site := Site{
		Policy:  Policy{MaxAge: time.Hour, Require: []Requirement{{"email_domain", []string{"example.com"}}}},
		Headers: defaultHeaders(), Browser: browser,
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		header, d := Header{}, new(Decision)
		for _, name := range browserHeaders[:5] { // so that the map is not rebuilt
			header[name] = []string{"value"}
		}
		for pb.Next() {
			header[field] = credentials
			new(Site).Clean(header)
			if *d = site.Decide(v, Request{Method: "GET", Header: header, Path: "/", Now: testNow}, nil); d.Status != 0 {
				b.Errorf("Decide = %+v, want claims", d)
			}
			site.Forward(d, header)
		}
	})
}

// browserHeaders are those of a common request.
var browserHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type", "Cookie", "Origin", "Referer",
	"Sec-Fetch-Mode", "Sec-Fetch-Site", "User-Agent", "X-Requested-With",
}

func BenchmarkRevocationsCheck(b *testing.B) {
	for _, n := range []int{0, 1000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := manyRevocations(n)
			claims := testClaims()
			b.ReportAllocs()
			for b.Loop() {
				if err := r.Check(&claims); err != nil {
					b.Fatalf("r.Check = %v", err)
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
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range browserHeaders {
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

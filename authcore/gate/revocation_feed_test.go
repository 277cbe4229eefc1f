package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// feedOf signs what r holds with the key of an algorithm.
func feedOf(tb testing.TB, r *Revocations, algorithm string, issued time.Time) string {
	tb.Helper()
	payload, err := r.FeedPayload(testIssuer, issued, issued.Add(time.Hour))
	if err != nil {
		tb.Fatal(err)
	}
	s := testSigners()[algorithm]
	return s.signText(s.header(PurposeRevocations), string(payload))
}

// revoked holds the test token by user, session and token, as far as asked for.
func revoked(kinds ...RevocationKind) *Revocations {
	r := NewRevocations()
	for _, kind := range kinds {
		id := map[RevocationKind]string{RevokeUser: testUser, RevokeSession: testSession, RevokeToken: testToken}[kind]
		r.Apply(Revocation{Kind: kind, ID: id, Until: testNow.Add(time.Hour)})
	}
	return r
}

func TestRevocationFeed(t *testing.T) {
	for _, algorithm := range []string{EdDSA, ES256, RS256} {
		for _, test := range []struct {
			kinds []RevocationKind
			want  error
		}{
			{nil, nil},
			{[]RevocationKind{RevokeUser}, ErrUserInactive},
			{[]RevocationKind{RevokeSession}, ErrRevoked},
			{[]RevocationKind{RevokeToken}, ErrRevoked},
			{[]RevocationKind{RevokeToken, RevokeSession, RevokeUser}, ErrUserInactive},
		} {
			t.Run(fmt.Sprint(algorithm, test.kinds), func(t *testing.T) {
				source := revoked(test.kinds...)
				source.Apply(Revocation{Kind: RevokeSession, ID: "ended", Until: testNow})
				source.Apply(Revocation{Kind: RevokeUser, ID: "another", Until: testNow.Add(time.Hour)})
				source.Sweep(testNow.Add(time.Minute))
				feed, err := testKeySet(t, algorithms...).RevocationFeed(feedOf(t, source, algorithm, testNow), testIssuer, testNow)
				if err != nil {
					t.Fatal(err)
				}
				cfg := testConfig()
				cfg.Revocations = NewRevocations()
				v := newTestVerifier(t, cfg)
				token := testSigners()[EdDSA].sign(testClaims())
				if _, err := v.Verify(token, testNow); err != nil {
					t.Fatal(err)
				}
				if err := cfg.Revocations.Load(feed); err != nil {
					t.Fatal(err)
				}
				if _, err := v.Verify(token, testNow); !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if n := len(test.kinds) + 1; cfg.Revocations.Len() != n || feed.Len() != n {
					t.Errorf("%d and %d entries, want %d", cfg.Revocations.Len(), feed.Len(), n)
				}
				if !feed.IssuedAt().Equal(testNow) || !feed.ExpiresAt().Equal(testNow.Add(time.Hour)) {
					t.Errorf("from %v to %v", feed.IssuedAt(), feed.ExpiresAt())
				}
			})
		}
	}
}

// A newer feed replaces the one before, entries that it lifts included, and
// leaves alone what was applied.
func TestLoadReplaces(t *testing.T) {
	keys, claims := testKeySet(t, EdDSA), testClaims()
	r := NewRevocations()
	if _, loaded := r.FeedAge(testNow); loaded {
		t.Error("a feed was loaded")
	}
	for i, kinds := range [][]RevocationKind{{RevokeSession}, {}, {RevokeUser}} {
		issued := testNow.Add(time.Duration(i) * time.Second)
		feed, err := keys.RevocationFeed(feedOf(t, revoked(kinds...), EdDSA, issued), testIssuer, testNow.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		before := r.Generation()
		if err := r.Load(feed); err != nil || r.Generation() == before {
			t.Fatalf("%d: %v, generation %d", i, err, before)
		}
		if got := r.Check(&claims) != nil; got != (len(kinds) > 0) {
			t.Errorf("%d: revoked is %t", i, got)
		}
		if age, loaded := r.FeedAge(issued.Add(5 * time.Second)); age != 5*time.Second || !loaded {
			t.Errorf("%d: age %v, %t", i, age, loaded)
		}
	}
	if age, _ := r.FeedAge(testNow.Add(-time.Hour)); age != 0 {
		t.Errorf("the age of a feed of the future is %v", age)
	}
	r.Apply(Revocation{Kind: RevokeToken, ID: "applied", Until: testNow.Add(time.Hour)})
	if err := r.Check(&Claims{ID: "applied"}); !errors.Is(err, ErrRevoked) {
		t.Errorf("got %v", err)
	}
}

func TestRevocationFeedRefuses(t *testing.T) {
	s := testSigners()[EdDSA]
	keys := testKeySet(t, algorithms...)
	good := map[string]any{
		"iss": testIssuer, "iat": testNow.Unix(), "exp": testNow.Unix() + 60,
		"users": "", "sessions": b64("\x00\x00\x00\x00\x00\x00\x00\x01\xff\x00\x00\x00\x00\x00\x00\x00"), "tokens": "",
	}
	// with changes one member, or takes it out.
	with := func(name string, value any) string {
		payload := map[string]any{}
		for k, v := range good {
			payload[k] = v
		}
		if payload[name] = value; value == nil {
			delete(payload, name)
		}
		text, err := json.Marshal(payload)
		must(err)
		return s.signText(s.header(PurposeRevocations), string(text))
	}
	text := with("unknown", "member")
	if feed, err := keys.RevocationFeed(text, testIssuer, testNow); err != nil || feed.Len() != 2 {
		t.Fatalf("the good one: %v, %v", feed, err)
	}
	header, payload, signature := segments(text)
	for _, test := range []struct {
		name, feed string
		want       error
	}{
		{"empty", "", ErrFeedMalformed},
		{"one segment", header, ErrFeedMalformed},
		{"no signature", header + "." + payload + ".", ErrFeedMalformed},
		{"header and dot", header + ".", ErrFeedMalformed},
		{"another payload", header + "." + b64(`{}`) + "." + signature, ErrFeedSignature},
		{"padding", text + "=", ErrFeedMalformed},
		{"line break", text + "\n", ErrFeedMalformed},
		{"signature that is not base64url", text[:len(text)-2] + "+/", ErrFeedMalformed},
		{"payload that is not base64url", signAs(EdDSA, s.private, header+".+/"), ErrFeedMalformed},
		{"no JSON", s.signText(s.header(PurposeRevocations), "x"), ErrFeedMalformed},
		{"something behind", s.signText(s.header(PurposeRevocations), "{} "), ErrFeedMalformed},
		{"an array", s.signText(s.header(PurposeRevocations), "[]"), ErrFeedMalformed},
		{"no users", with("users", nil), ErrFeedMalformed},
		{"no sessions", with("sessions", nil), ErrFeedMalformed},
		{"no tokens", with("tokens", nil), ErrFeedMalformed},
		{"no issuer", with("iss", nil), ErrFeedIssuer},
		{"no time", with("iat", nil), ErrFeedMalformed},
		{"no expiry", with("exp", nil), ErrFeedMalformed},
		{"expiry before issue", with("exp", testNow.Unix()-1), ErrFeedMalformed},
		{"a broken entry", with("tokens", b64("1234567")), ErrFeedMalformed},
		{"a list that is not base64url", with("tokens", "++++"), ErrFeedMalformed},
		{"a list that is none", with("tokens", []string{}), ErrFeedMalformed},
		{"out of order", with("tokens", b64("22222222"+"11111111")), ErrFeedMalformed},
		{"twice the same", with("tokens", b64("11111111"+"11111111")), ErrFeedMalformed},
		{"duplicate member", s.signText(s.header(PurposeRevocations), `{"tokens":"","tokens":""}`), ErrFeedMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := keys.RevocationFeed(test.feed, testIssuer, testNow); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	future := feedOf(t, NewRevocations(), EdDSA, testNow.Add(DefaultLeeway+time.Second))
	if _, err := keys.RevocationFeed(future, testIssuer, testNow); !errors.Is(err, ErrFeedExpired) {
		t.Errorf("of the future: %v", err)
	}
}

func TestFeedTooLong(t *testing.T) {
	if _, err := testKeySet(t, EdDSA).RevocationFeed(strings.Repeat("x", MaxRevocationFeed+1), testIssuer, testNow); !errors.Is(err, ErrFeedMalformed) {
		t.Errorf("got %v", err)
	}
	if testing.Short() {
		t.Skip("the rest takes seconds")
	}
	const most = 2_350_000
	r := manyRevocations(most)
	payload, err := r.FeedPayload(testIssuer, testNow, testNow.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s := testSigners()[RS256]
	feed, err := testKeySet(t, RS256).RevocationFeed(s.signText(s.header(PurposeRevocations), string(payload)), testIssuer, testNow)
	if err != nil || feed.Len() != most {
		t.Fatalf("%d: %v", most, err)
	}
	for i := range 20_000 {
		r.Apply(Revocation{Kind: RevokeUser, ID: fmt.Sprint(i), Until: testNow.Add(time.Hour)})
	}
	if _, err := r.FeedPayload(testIssuer, testNow, testNow.Add(time.Hour)); err == nil {
		t.Error("a feed that nobody would take was made")
	}
}

// FuzzRevocationFeed never panics; whatever is taken was signed by the key, and
// says what encoding/json reads in it.
func FuzzRevocationFeed(f *testing.F) {
	s := testSigners()[EdDSA]
	keys := testKeySet(f, EdDSA)
	payload, err := revoked(RevokeUser, RevokeSession).FeedPayload(testIssuer, testNow, testNow.Add(time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	good := s.signText(s.header(PurposeRevocations), string(payload))
	for _, seed := range []string{good, string(payload), "", "..", "{}", `{"users":"","sessions":"","tokens":"","iat":1,"exp":2}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := keys.RevocationFeed(text, testIssuer, testNow); err == nil && text != good {
			t.Errorf("%q is taken", text)
		}
		feed, err := keys.RevocationFeed(s.signText(s.header(PurposeRevocations), text), testIssuer, testNow)
		if err != nil {
			return
		}
		var want struct {
			Issuer                  string `json:"iss"`
			Users, Sessions, Tokens string
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil || want.Issuer != testIssuer {
			t.Fatalf("%q is taken, but %v", text, err)
		}
		if n := len(want.Users+want.Sessions+want.Tokens) * 3 / 4 / revocationSize; feed.Len() > n {
			t.Errorf("%q: %d entries of at most %d", text, feed.Len(), n)
		}
	})
}

func BenchmarkRevocationFeed(b *testing.B) {
	r := manyRevocations(100_000)
	keys := testKeySet(b, EdDSA)
	b.Run("make", func(b *testing.B) {
		var text string
		for b.Loop() {
			text = feedOf(b, r, EdDSA, testNow)
		}
		b.ReportMetric(float64(len(text)), "bytes")
	})
	text := feedOf(b, r, EdDSA, testNow)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			if _, err := keys.RevocationFeed(text, testIssuer, testNow); err != nil {
				b.Fatal(err)
			}
		}
	})
	feed, err := keys.RevocationFeed(text, testIssuer, testNow)
	if err != nil {
		b.Fatal(err)
	}
	loaded, claims := NewRevocations(), testClaims()
	if err := loaded.Load(feed); err != nil {
		b.Fatal(err)
	}
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if err := loaded.Check(&claims); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package gate

import (
	"errors"
	"testing"
	"time"
)

// With an old copy of the revocations, tokens that are otherwise valid are not judged.
func TestStale(t *testing.T) {
	const most = 30 * time.Second
	good, ended := testClaims(), testClaims()
	ended.Session = "ended"
	expired := testClaims()
	expired.ExpiresAt = testNow.Unix()
	for _, c := range []struct {
		name   string
		age    time.Duration
		claims Claims
		most   time.Duration
		want   error
	}{
		{"fresh", most, good, most, nil},
		{"stale", most + 1, good, most, ErrStale},
		{"without a limit", 24 * time.Hour, good, 0, nil},
		{"the clock was turned back a little", -most, good, most, nil},
		{"the clock was turned back", -most - 1, good, most, ErrStale},
		{"revoked in the old copy", time.Hour, ended, most, ErrRevoked},
		{"expired", time.Hour, expired, most, ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Revocations, cfg.MaxStaleness = NewRevocations(), c.most
			cfg.Revocations.Apply(Revocation{Kind: RevokeSession, ID: "ended", Until: testNow.Add(time.Hour)})
			cfg.Revocations.Refreshed(testNow.Add(-c.age))
			v := newTestVerifier(t, cfg)
			token := testSigners()[EdDSA].sign(c.claims)
			for _, when := range []string{"new", "known"} {
				if _, err := v.Verify(token, testNow); !errors.Is(err, c.want) {
					t.Errorf("Verify(%s token) = %v, want %v", when, err, c.want)
				}
			}
			if c.want != ErrStale {
				return
			}
			policy := Policy{}
			d := policy.decide(v, Credentials{}, &Request{Now: testNow, Header: Header{"Authorization": []string{"Token " + token}}})
			if d.Status != 503 || d.Body != BodyUnavailable || d.Claims != nil {
				t.Errorf("Decide = %+v, want 503", d)
			}
			cfg.Revocations.Refreshed(testNow)
			if _, err := v.Verify(token, testNow); err != nil {
				t.Errorf("Verify after Refreshed = %v, want no error", err)
			}
		})
	}
}

// Every request checks the freshness.
func TestFreshnessAllocatesNothing(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations, cfg.MaxStaleness = NewRevocations(), time.Minute
	cfg.Revocations.Refreshed(testNow)
	v := newTestVerifier(t, cfg)
	token := testSigners()[EdDSA].sign(testClaims())
	if n := testing.AllocsPerRun(100, func() { _, _ = v.Verify(token, testNow) }); n != 0 {
		t.Errorf("Verify makes %v allocations, want none", n)
	}
}

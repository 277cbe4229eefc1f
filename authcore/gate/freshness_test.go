package gate

import (
	"errors"
	"testing"
	"time"
)

// What is judged with an old copy of the revocations: nothing but the tokens
// that seem good.
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
		{"it does not matter", 24 * time.Hour, good, 0, nil},
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
					t.Errorf("%s token: %v, want %v", when, err, c.want)
				}
			}
			if c.want != ErrStale {
				return
			}
			policy := Policy{}
			d := policy.Decide(v, Request{Authorization: []string{"Token " + token}, Now: testNow})
			if d.Status != 503 || d.Body != BodyUnavailable || d.Claims != nil {
				t.Errorf("decision %+v", d)
			}
			cfg.Revocations.Refreshed(testNow)
			if _, err := v.Verify(token, testNow); err != nil {
				t.Errorf("after a refresh: %v", err)
			}
		})
	}
}

// The price of asking is paid by every request.
func TestFreshnessAllocatesNothing(t *testing.T) {
	cfg := testConfig()
	cfg.Revocations, cfg.MaxStaleness = NewRevocations(), time.Minute
	cfg.Revocations.Refreshed(testNow)
	v := newTestVerifier(t, cfg)
	token := testSigners()[EdDSA].sign(testClaims())
	if n := testing.AllocsPerRun(100, func() { _, _ = v.Verify(token, testNow) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Who asks for keys that nobody has makes the edge look into its store, so that
// only a token is worth it for which nothing but the key is missing (CWE-400).
func TestUnknownKey(t *testing.T) {
	v := NewVerifier(testConfig())
	v.SetKeys(testKeySet(t, HS256))
	signer := testSigners()[EdDSA]
	expired, foreign := testClaims(), testStatement(testClaims())
	expired.ExpiresAt, foreign.Issuer = testNow.Unix(), "another"
	token := signer.sign(testClaims())
	header, payload, signature := segments(token)
	for name, text := range map[string]string{
		"a known key":           testSigners()[HS256].sign(testClaims()),
		"expired":               signer.sign(expired),
		"another issuer":        signer.signStatement(foreign),
		"an assertion":          signer.signText(signer.header(PurposeAssertion), `{"iss":"x"}`),
		"members in disorder":   signer.signText(`{"kid":"`+signer.key.ID+`","alg":"EdDSA","typ":"login+jwt"}`, `{}`),
		"no algorithm of ours":  b64(`{"alg":"none","kid":"k","typ":"login+jwt"}`) + "." + payload + "." + signature,
		"no key id":             b64(`{"alg":"EdDSA","kid":"","typ":"login+jwt"}`) + "." + payload + "." + signature,
		"a long key id":         b64(`{"alg":"EdDSA","kid":"`+string(make([]byte, 300))+`","typ":"login+jwt"}`) + "." + payload + "." + signature,
		"no signature":          header + "." + payload + ".",
		"two segments":          header + "." + payload,
		"four segments":         token + "." + signature,
		"noise in the payload":  header + ".!" + payload + "." + signature,
		"no JSON":               header + "." + b64("x") + "." + signature,
		"nothing":               "",
		"longer than any token": token + string(make([]byte, MaxToken)),
	} {
		if id, ok := v.UnknownKey(text, testNow); ok {
			t.Errorf("%s: worth looking for %q", name, id)
		}
	}
	for _, algorithm := range []string{EdDSA, ES256, RS256} {
		signer := testSigners()[algorithm]
		if id, ok := v.UnknownKey(signer.sign(testClaims()), testNow); !ok || id != signer.key.ID {
			t.Errorf("%s: %q, %t", algorithm, id, ok)
		}
	}
}

func FuzzUnknownKey(f *testing.F) {
	signer := testSigners()[EdDSA]
	f.Add(signer.sign(testClaims()))
	f.Add(b64(`{"alg":"EdDSA","kid":"k","typ":"login+jwt"}`) + "..")
	f.Fuzz(func(t *testing.T, text string) {
		v := NewVerifier(testConfig())
		id, ok := v.UnknownKey(text, testNow)
		if !ok {
			return
		}
		if checkKeyID(id) != nil {
			t.Fatalf("key id %q", id)
		}
		if _, err := v.Verify(text, testNow); err != ErrUnknownKey {
			t.Fatalf("refused for another reason: %v", err)
		}
	})
}

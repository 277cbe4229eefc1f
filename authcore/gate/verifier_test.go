package gate

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestVerify(t *testing.T) {
	for _, algorithm := range algorithms {
		for _, size := range []int{-1, 0, 64} {
			t.Run(fmt.Sprint(algorithm, " ", size), func(t *testing.T) {
				cfg := testConfig()
				cfg.CacheSize = size
				v := newTestVerifier(t, cfg)
				token := testSigners()[algorithm].sign(testClaims())
				for range 3 {
					claims, err := v.Verify(token, testNow)
					if err != nil {
						t.Fatalf("v.Verify = %v", err)
					}
					if !reflect.DeepEqual(*claims, testClaims()) {
						t.Errorf("Verify = %+v, want %+v", *claims, testClaims())
					}
				}
			})
		}
	}
}

// golang-jwt writes the header that the verifier expects.
func TestHeaderSegmentIsGolangJWTs(t *testing.T) {
	for _, algorithm := range algorithms {
		s := testSigners()[algorithm]
		s.key.ID = `id"<&>/+\` // characters that JSON encoders escape in different ways
		token := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), jwt.MapClaims{})
		token.Header["kid"], token.Header["typ"] = s.key.ID, string(PurposeLogin)
		signed, err := token.SignedString(s.private)
		if err != nil {
			t.Fatalf("token.SignedString = %v", err)
		}
		set, err := NewKeySet(s.key)
		if err != nil {
			t.Fatalf("NewKeySet = %v", err)
		}
		if header, _, _ := segments(signed); header != HeaderSegment(s.key, PurposeLogin) || header != HeaderSegment(set.Keys()[0], PurposeLogin) {
			t.Errorf("HeaderSegment(%s) = %s, want %s as golang-jwt", algorithm, HeaderSegment(s.key, PurposeLogin), header)
		}
	}
}

func TestVerifyChecksClaims(t *testing.T) {
	now := testNow.Unix()
	tests := []struct {
		name   string
		change func(*Statement)
		want   error
	}{
		{"good", func(*Statement) {}, nil},
		{"no optional claims", func(c *Statement) {
			c.AuthTime, c.Client, c.Method, c.Email, c.EmailVerified, c.Name = 0, "", "", "", false, ""
		}, nil},
		{"other issuer", func(c *Statement) { c.Issuer += "/" }, ErrClaims},
		{"other audience", func(c *Statement) { c.Audience = "example.org" }, ErrClaims},
		{"ends now", func(c *Statement) { c.ExpiresAt = now }, ErrExpired},
		{"ends in a second", func(c *Statement) { c.ExpiresAt = now + 1 }, nil},
		{"ended", func(c *Statement) { c.ExpiresAt = now - 1 }, ErrExpired},
		{"issued within the leeway", func(c *Statement) { c.IssuedAt = now + 60 }, nil},
		{"issued in the future", func(c *Statement) { c.IssuedAt = now + 61 }, ErrClaims},
		{"logged in within the leeway", func(c *Statement) { c.AuthTime = now + 60 }, nil},
		{"logged in tomorrow", func(c *Statement) { c.AuthTime = now + 61 }, ErrClaims},
		{"ends before it was issued", func(c *Statement) { c.IssuedAt, c.ExpiresAt = now+2, now+1 }, ErrClaims},
		{"ends when it was issued", func(c *Statement) { c.IssuedAt, c.ExpiresAt = now+2, now+2 }, ErrClaims},
	}
	v := newTestVerifier(t, testConfig())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			statement := testStatement(testClaims())
			test.change(&statement)
			token := testSigners()[HS256].signStatement(statement)
			for range 2 { // once without and once from the cache
				if _, err := v.Verify(token, testNow); !errors.Is(err, test.want) {
					t.Errorf("Verify = %v, want %v", err, test.want)
				}
			}
		})
	}
}

func TestLeeway(t *testing.T) {
	claims := testClaims()
	claims.IssuedAt = testNow.Unix() + 10
	token := testSigners()[HS256].sign(claims)
	for leeway, want := range map[time.Duration]error{0: nil, -1: ErrClaims, 9 * time.Second: ErrClaims, 10 * time.Second: nil} {
		cfg := testConfig()
		cfg.Leeway = leeway
		if _, err := newTestVerifier(t, cfg).Verify(token, testNow); !errors.Is(err, want) {
			t.Errorf("Verify with leeway %v = %v, want %v", leeway, err, want)
		}
	}
}

// A verifier that was not configured accepts nothing.
func TestUnconfiguredVerifierRefuses(t *testing.T) {
	var issued Statement
	s := testSigners()[HS256]
	for name, change := range map[string]func(*VerifierConfig){
		"issuer":   func(c *VerifierConfig) { c.Issuer, issued.Issuer = "", "" },
		"audience": func(c *VerifierConfig) { c.Audience, issued.Audience = "", "" },
		"purpose":  func(c *VerifierConfig) { c.Purpose = "" },
	} {
		issued = testStatement(testClaims())
		cfg := testConfig()
		change(&cfg)
		payload := `{"iss":"` + issued.Issuer + `","aud":"` + issued.Audience + `","sub":"u","jti":"t","sid":"s","iat":1799999000,"exp":1800009000}`
		if _, err := newTestVerifier(t, cfg).Verify(s.signText(s.header(cfg.Purpose), payload), testNow); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("Verify without %s = %v, want ErrInvalidToken", name, err)
		}
	}
	if _, err := NewVerifier(testConfig()).Verify(s.sign(testClaims()), testNow); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("Verify without keys = %v, want ErrUnknownKey", err)
	}
}

func TestSeen(t *testing.T) {
	var seen []string
	cfg := testConfig()
	cfg.Revocations = NewRevocations()
	cfg.Seen = func(claims *Claims, now time.Time) {
		session := claims.Session
		seen = append(seen, fmt.Sprint(session, " ", now.Unix()-testNow.Unix()))
	}
	v := newTestVerifier(t, cfg)
	token := testSigners()[HS256].sign(testClaims())
	at := func(second int64) {
		_, _ = v.Verify(token, testNow.Add(time.Duration(second)*time.Second))
	}
	for _, second := range []int64{0, 0, 59, 60, 61, 119, 120, 3599, 3600} {
		at(second)
	}
	cfg.Revocations.Apply(Revocation{Kind: RevokeSession, ID: testSession, Until: testNow.Add(time.Hour)})
	at(1000)
	want := fmt.Sprint([]string{testSession + " 0", testSession + " 60", testSession + " 120", testSession + " 3599"})
	if got := fmt.Sprint(seen); got != want {
		t.Errorf("Seen was called for %s, want %s", got, want)
	}
}

func TestSeenWithoutCache(t *testing.T) {
	n := 0
	cfg := testConfig()
	cfg.CacheSize = -1
	cfg.Seen = func(*Claims, time.Time) { n++ }
	v := newTestVerifier(t, cfg)
	for range 3 {
		if _, err := v.Verify(testSigners()[HS256].sign(testClaims()), testNow); err != nil {
			t.Fatalf("v.Verify = %v", err)
		}
	}
	if n != 3 {
		t.Errorf("Seen was called %d times, want 3", n)
	}
}

func TestCachedClaimsDoNotHoldThePayload(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	s := testSigners()[HS256]
	payload := `{"iss":"` + testIssuer + `","aud":"` + testAudience + `","sub":"\u0075","jti":"t","sid":"s","iat":1799999000,"exp":1800009000,"name":"\u00c9\ud83d\ude00","x":"` + strings.Repeat("x", 2000) + `"}`
	claims, err := v.Verify(s.signText(s.header(PurposeLogin), payload), testNow)
	if err != nil {
		t.Fatalf("v.Verify = %v", err)
	}
	if claims.Subject != "u" || claims.ID != "t" || claims.Session != "s" || claims.Name != "É😀" {
		t.Errorf("Verify = %+v, want the claims without escapes", claims)
	}
}

// SetKeys, Apply, Sweep and Verify run simultaneously: a token is valid before it is
// revoked and never after Apply has returned.
func TestConcurrency(t *testing.T) {
	const tokens, readers = 40, 4
	cfg := testConfig()
	cfg.CacheSize = 16 // so that tokens replace each other
	cfg.Revocations = NewRevocations()
	cfg.Seen = func(*Claims, time.Time) {}
	v := newTestVerifier(t, cfg)
	all, some := testKeySet(t, EdDSA, HS256), testKeySet(t, HS256)
	texts := make([]string, tokens)
	for i := range texts {
		texts[i] = testSigners()[HS256].distinct(i)
	}
	stop := make(chan struct{})
	var background, foreground sync.WaitGroup
	background.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			v.SetKeys([]*KeySet{all, some}[i%2])
			cfg.Revocations.Sweep(testNow)
		}
	})
	for range readers {
		background.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				claims, err := v.Verify(texts[i%tokens], testNow)
				if err == nil && claims.Subject != testUser || err != nil && !errors.Is(err, ErrRevoked) {
					t.Errorf("Verify = %v, %v, want the user or ErrRevoked", claims, err)
				}
			}
		})
	}
	for i := range texts {
		foreground.Go(func() {
			claims, err := v.Verify(texts[i], testNow)
			if err != nil {
				t.Errorf("Verify before Apply = %v, want no error", err)
				return
			}
			cfg.Revocations.Apply(Revocation{Kind: RevokeSession, ID: claims.Session, Until: testNow.Add(time.Hour)})
			for range 20 {
				if _, err := v.Verify(texts[i], testNow); !errors.Is(err, ErrRevoked) {
					t.Errorf("Verify after Apply = %v, want ErrRevoked", err)
				}
			}
		})
	}
	foreground.Wait()
	close(stop)
	background.Wait()
}

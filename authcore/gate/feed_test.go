package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// feedOptions describe a document that is valid for an hour.
func feedOptions(issued time.Time, since string) FeedOptions {
	return FeedOptions{Issuer: testIssuer, Issued: issued, Expires: issued.Add(time.Hour), Since: since}
}

// signFeed returns the parts of a document, signed with the key of an algorithm.
func signFeed(tb testing.TB, r *Revocations, algorithm string, o FeedOptions) []string {
	tb.Helper()
	payloads, err := r.FeedPayloads(o)
	if err != nil {
		tb.Fatalf("FeedPayloads(%+v) failed: %v", o, err)
	}
	s := testSigners()[algorithm]
	var parts []string
	for payload := range payloads {
		parts = append(parts, s.signText(s.header(PurposeRevocations), string(payload)))
	}
	return parts
}

// feedOf returns the only part of a full list.
func feedOf(tb testing.TB, r *Revocations, algorithm string, issued time.Time) string {
	tb.Helper()
	return signFeed(tb, r, algorithm, feedOptions(issued, ""))[0]
}

// loadFeed verifies and loads the parts of a document.
func loadFeed(tb testing.TB, r *Revocations, parts []string, now time.Time) error {
	tb.Helper()
	keys := testKeySet(tb, EdDSA, ES256, RS256)
	for i, part := range parts {
		feed, err := keys.RevocationFeed(part, testIssuer, now)
		if err != nil {
			tb.Fatalf("RevocationFeed(part %d) failed: %v", i+1, err)
		}
		if complete, err := r.Load(feed); err != nil || complete != (i == len(parts)-1) {
			return err
		}
	}
	return nil
}

// issuer is an issuer and one client of its feed.
type issuer struct {
	tb     testing.TB
	copy   *Revocations
	client *Revocations
}

func newIssuer(tb testing.TB) *issuer {
	return &issuer{tb: tb, copy: NewRevocations(), client: NewRevocations()}
}

// poll refreshes the issuer and has the client fetch what it lacks. It returns the
// error of loading and the number of entries in the document.
func (i *issuer) poll(now time.Time) (entries int, err error) {
	i.tb.Helper()
	i.copy.Refreshed(now)
	state, _ := i.client.Feed()
	parts := signFeed(i.tb, i.copy, EdDSA, feedOptions(now, i.copy.FeedSince(state.Cursor, now)))
	for _, part := range parts {
		entries += feedLen(i.tb, part)
	}
	return entries, loadFeed(i.tb, i.client, parts, now)
}

// feedLen returns the number of entries in a part, without checking it.
func feedLen(tb testing.TB, part string) int {
	tb.Helper()
	_, payload, _ := segments(part)
	body, ok := decode(payload)
	p, parsed := parseFeed(string(body))
	if !ok || !parsed {
		tb.Fatalf("parseFeed(%.80q) failed", body)
	}
	return p.Len()
}

// revoked contains the session and user of the test token, as far as asked for.
func revoked(kinds ...RevocationKind) *Revocations {
	r := NewRevocations()
	for _, kind := range kinds {
		id := map[RevocationKind]string{RevokeUser: testUser, RevokeSession: testSession}[kind]
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
			{[]RevocationKind{RevokeSession, RevokeUser}, ErrUserInactive},
		} {
			t.Run(fmt.Sprint(algorithm, test.kinds), func(t *testing.T) {
				source := revoked(test.kinds...)
				source.Apply(Revocation{Kind: RevokeSession, ID: "ended", Until: testNow.Add(-2 * time.Minute)})
				source.Apply(Revocation{Kind: RevokeUser, ID: "another", Until: testNow.Add(time.Hour)})
				cfg := testConfig()
				cfg.Revocations = NewRevocations()
				v := newTestVerifier(t, cfg)
				token := testSigners()[EdDSA].sign(testClaims())
				if _, err := v.Verify(token, testNow); err != nil {
					t.Fatalf("Verify before the feed = %v, want no error", err)
				}
				if err := loadFeed(t, cfg.Revocations, []string{feedOf(t, source, algorithm, testNow)}, testNow); err != nil {
					t.Fatalf("Load = %v, want no error", err)
				}
				if _, err := v.Verify(token, testNow); !errors.Is(err, test.want) {
					t.Errorf("Verify with the feed = %v, want %v", err, test.want)
				}
				if got, want := cfg.Revocations.Len(), len(test.kinds)+1; got != want {
					t.Errorf("Len() = %d, want %d", got, want)
				}
				state, loaded := cfg.Revocations.Feed()
				want := FeedState{testNow, testNow.Add(time.Hour), fmt.Sprint(testNow.Unix())}
				if !loaded || state != want {
					t.Errorf("Feed() = %+v, %t, want %+v, true", state, loaded, want)
				}
			})
		}
	}
}

// A full list replaces the one before, also entries that it omits. Applied entries
// stay.
func TestLoadReplaces(t *testing.T) {
	claims := testClaims()
	r := NewRevocations()
	if state, loaded := r.Feed(); loaded {
		t.Errorf("Feed() = %+v, true before the first, want false", state)
	}
	for i, kinds := range [][]RevocationKind{{RevokeSession}, {}, {RevokeUser}} {
		issued := testNow.Add(time.Duration(i) * time.Second)
		before := r.Generation()
		if err := loadFeed(t, r, []string{feedOf(t, revoked(kinds...), EdDSA, issued)}, issued); err != nil || r.Generation() == before {
			t.Fatalf("Load(list %d) = %v at generation %d, want another generation than %d", i, err, r.Generation(), before)
		}
		if got := r.Check(&claims) != nil; got != (len(kinds) > 0) {
			t.Errorf("list %d: the token is revoked: %t, want %t", i, got, len(kinds) > 0)
		}
	}
	r.Apply(Revocation{Kind: RevokeSession, ID: "applied", Until: testNow.Add(time.Hour)})
	if err := r.Check(&Claims{Session: "applied"}); !errors.Is(err, ErrRevoked) {
		t.Errorf("Check(applied session) = %v, want ErrRevoked", err)
	}
}

func TestRevocationFeedRefuses(t *testing.T) {
	s := testSigners()[EdDSA]
	keys := testKeySet(t, algorithms...)
	entry := func(id byte, until string) string { return strings.Repeat("\x00", 7) + string(id) + until }
	good := map[string]any{
		"iss": testIssuer, "iat": testNow.Unix(), "exp": testNow.Unix() + 60, "cursor": "5", "part": 1, "parts": 1,
		"users": "", "sessions": b64(entry(1, "1234") + entry(2, "1234")), "roles": "",
	}
	// with changes members, or removes those that are nil.
	with := func(changes map[string]any) string {
		payload := map[string]any{}
		for _, members := range []map[string]any{good, changes} {
			for name, value := range members {
				if payload[name] = value; value == nil {
					delete(payload, name)
				}
			}
		}
		text, err := json.Marshal(payload)
		must(err)
		return s.signText(s.header(PurposeRevocations), string(text))
	}
	change := func(name string, value any) string { return with(map[string]any{name: value}) }
	text := change("unknown", "member")
	if feed, err := keys.RevocationFeed(text, testIssuer, testNow); err != nil || feed.Len() != 2 {
		t.Fatalf("RevocationFeed(valid) = %v, %v", feed, err)
	}
	header, payload, signature := segments(text)
	for _, test := range []struct {
		name, feed string
		want       error
	}{
		{"empty", "", ErrFeedMalformed},
		{"too long", strings.Repeat("x", MaxFeedPart+1), ErrFeedMalformed},
		{"one segment", header, ErrFeedMalformed},
		{"no signature", header + "." + payload + ".", ErrFeedMalformed},
		{"header and dot", header + ".", ErrFeedMalformed},
		{"another payload", header + "." + b64(`{}`) + "." + signature, ErrFeedSignature},
		{"padding", text + "=", ErrFeedMalformed},
		{"line break", text + "\n", ErrFeedMalformed},
		{"signature not base64url", text[:len(text)-2] + "+/", ErrFeedMalformed},
		{"payload not base64url", signAs(EdDSA, s.private, header+".+/"), ErrFeedMalformed},
		{"not JSON", s.signText(s.header(PurposeRevocations), "x"), ErrFeedMalformed},
		{"trailing blank", s.signText(s.header(PurposeRevocations), "{} "), ErrFeedMalformed},
		{"an array", s.signText(s.header(PurposeRevocations), "[]"), ErrFeedMalformed},
		{"no users", change("users", nil), ErrFeedMalformed},
		{"no sessions", change("sessions", nil), ErrFeedMalformed},
		{"no roles", change("roles", nil), ErrFeedMalformed},
		{"incomplete role change", change("roles", b64(entry(1, "1234")+"1234\x00")), ErrFeedMalformed},
		{"role change longer than the list", change("roles", b64(entry(1, "1234")+"1234\x00\x06admin")), ErrFeedMalformed},
		{"role change with bytes after it", change("roles", b64(entry(1, "1234")+"1234\x00\x05admin!")), ErrFeedMalformed},
		{"role with a line break", change("roles", b64(entry(1, "1234")+"1234\x00\x06admin\n")), ErrFeedMalformed},
		{"roles out of order", change("roles", b64(entry(1, "1234")+"1234\x00\x03b,a")), ErrFeedMalformed},
		{"role change twice", change("roles", b64(strings.Repeat(entry(1, "1234")+"1234\x00\x00", 2))), ErrFeedMalformed},
		{"role change without end", change("roles", b64(entry(1, "\x00\x00\x00\x00")+"1234\x00\x00")), ErrFeedMalformed},
		{"role change", change("roles", b64(entry(1, "1234")+"1234\x00\x05admin"+entry(2, "1234")+"1234\x00\x00")), nil},
		{"no issuer", change("iss", nil), ErrFeedIssuer},
		{"no time", change("iat", nil), ErrFeedMalformed},
		{"no expiry", change("exp", nil), ErrFeedMalformed},
		{"expiry before issue", change("exp", testNow.Unix()-1), ErrFeedMalformed},
		{"no cursor", change("cursor", nil), ErrFeedMalformed},
		{"cursor as a number", change("cursor", 5), ErrFeedMalformed},
		{"negative cursor", change("cursor", "-5"), ErrFeedMalformed},
		{"long cursor", change("cursor", "1234567890123"), ErrFeedMalformed},
		{"no part", change("part", nil), ErrFeedMalformed},
		{"part 0", change("part", 0), ErrFeedMalformed},
		{"part 2 of 1", change("part", 2), ErrFeedMalformed},
		{"too many parts", change("parts", maxFeedParts+1), ErrFeedMalformed},
		{"delta without since", change("delta", true), ErrFeedMalformed},
		{"since without delta", change("since", "4"), ErrFeedMalformed},
		{"incomplete entry", change("users", b64("12345678901")), ErrFeedMalformed},
		{"list not base64url", change("users", "++++"), ErrFeedMalformed},
		{"list as an array", change("users", []string{}), ErrFeedMalformed},
		{"out of order", change("users", b64(entry(2, "1234")+entry(1, "1234"))), ErrFeedMalformed},
		{"entry twice", change("users", b64(entry(2, "1234")+entry(2, "1235"))), ErrFeedMalformed},
		{"entry without end in a full list", change("users", b64(entry(2, "\x00\x00\x00\x00"))), ErrFeedMalformed},
		{"lifted entry in a delta", with(map[string]any{"users": b64(entry(2, "\x00\x00\x00\x00")), "delta": true, "since": "4"}), nil},
		{"too many entries", change("users", b64(string(newFeedList(make([]feedEntry, maxPartEntries+1))))), ErrFeedMalformed},
		{"duplicate member", s.signText(s.header(PurposeRevocations), `{"users":"","users":""}`), ErrFeedMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := keys.RevocationFeed(test.feed, testIssuer, testNow); !errors.Is(err, test.want) {
				t.Errorf("RevocationFeed = %v, want %v", err, test.want)
			}
		})
	}
	future := feedOf(t, NewRevocations(), EdDSA, testNow.Add(DefaultLeeway+time.Second))
	if _, err := keys.RevocationFeed(future, testIssuer, testNow); !errors.Is(err, ErrFeedExpired) {
		t.Errorf("RevocationFeed(of the future) = %v, want ErrFeedExpired", err)
	}
}

// FuzzRevocationFeed never panics. What it accepts was signed by the key and has
// the meaning that encoding/json reads.
func FuzzRevocationFeed(f *testing.F) {
	s := testSigners()[EdDSA]
	keys := testKeySet(f, EdDSA)
	good := feedOf(f, revoked(RevokeUser, RevokeSession), EdDSA, testNow)
	_, encoded, _ := segments(good)
	payload, ok := decode(encoded)
	if !ok {
		f.Fatal("the payload is not base64url")
	}
	for _, seed := range []string{
		good, string(payload), "", "..", "{}", `{"users":"","sessions":"","iat":1,"exp":2}`,
		`{"iss":"` + testIssuer + `","iat":1799999999,"exp":1800003600,"cursor":"9","delta":true,"since":"8","part":1,"parts":2,"users":"","sessions":"","roles":""}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := keys.RevocationFeed(text, testIssuer, testNow); err == nil && text != good {
			t.Errorf("RevocationFeed(%q) succeeded without a signature", text)
		}
		feed, err := keys.RevocationFeed(s.signText(s.header(PurposeRevocations), text), testIssuer, testNow)
		if err != nil {
			return
		}
		var want struct {
			Issuer          string `json:"iss"`
			Users, Sessions string
			Delta           bool
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil || want.Issuer != testIssuer || want.Delta != feed.delta {
			t.Fatalf("RevocationFeed(%q) succeeded, but Unmarshal = %+v, %v", text, want, err)
		}
		if n := len(want.Users+want.Sessions) * 3 / 4 / feedEntrySize; feed.Len() > n {
			t.Errorf("RevocationFeed(%q) has %d entries, want %d at the most", text, feed.Len(), n)
		}
		r := NewRevocations()
		if _, err := r.Load(feed); err == nil && r.Len() > feed.Len() {
			t.Errorf("Load(%q) made %d entries of %d", text, r.Len(), feed.Len())
		}
	})
}

// FuzzFeedTable compares a table with a map, for entries in any order.
func FuzzFeedTable(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08\x09"), int64(3))
	f.Fuzz(func(t *testing.T, data []byte, cutoff int64) {
		table, want := newFeedTable(len(data)), map[revocationID]uint32{}
		for len(data) > 2 {
			n := min(int(data[0])%16, len(data)-1)
			var changes []feedEntry
			for _, c := range data[1 : n+1] {
				e := feedEntry{revocationID(c) << 56, uint32(c % 8)}
				if !slices.ContainsFunc(changes, func(other feedEntry) bool { return other.id == e.id }) {
					changes = append(changes, e)
				}
				if want[e.id] = e.until; int64(e.until) <= cutoff || e.until == 0 {
					delete(want, e.id)
				}
			}
			sortEntries(changes)
			for i := range changes { // the last of several counts above
				changes[i].until = want[changes[i].id]
			}
			table = table.with(newFeedList(changes), cutoff)
			data = data[n+1:]
		}
		total := 0
		for _, shard := range table.shards {
			total += shard.len()
			if !shard.valid(false) {
				t.Errorf("a shard is out of order: %v", shard)
			}
		}
		for c := range 256 {
			id := revocationID(c) << 56
			if got := table.has(id); got != (want[id] > 0) {
				t.Errorf("has(%d) = %t, want %t", c, got, want[id] > 0)
			}
		}
		if total != len(want) || table.n != total {
			t.Errorf("the table has %d entries and n = %d, want %d", total, table.n, len(want))
		}
	})
}

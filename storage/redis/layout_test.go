package redis

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// A first login takes two round trips, and so does a refresh.
func TestRoundTrips(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	signUp(t, store, authcore.Account{User: user("warm", "")})
	put(t, store, record("warm"))
	for name, test := range map[string]struct {
		step func() error
		want string
	}{
		"PutRecord": {func() error {
			return store.PutRecord(t.Context(), record("a"), authcore.PutOptions{Now: start, Keep: 3})
		}, "calls=1,"},
		"Login": {func() error {
			_, err := store.Login(t.Context(), authcore.LoginStep{
				Now: start, Proof: record("warm").RecordKey, Refs: []authcore.UserRef{{EmailKey: "ada@example.com"}},
				Decide: func(authcore.LoginFound) (authcore.Account, error) {
					return authcore.Account{User: user("u", "ada@example.com"), Sessions: []authcore.Session{session("s")}}, nil
				},
			})
			return err
		}, "calls=2,"},
		"UpdateAccount": {func() error { return begin(t.Context(), store, "warm", "s") }, "calls=2,"},
	} {
		server.Do(t, "config", "resetstat")
		if err := test.step(); err != nil {
			t.Errorf("%s failed: %v", name, err)
		}
		_, stats, _ := strings.Cut(fmt.Sprint(server.Do(t, "info", "commandstats")), "cmdstat_evalsha:")
		if !strings.HasPrefix(stats, test.want) {
			t.Errorf("%s: commandstats of evalsha = %.20q, want %s", name, stats, test.want)
		}
	}
}

// Everything that expires has a time to live, so that it vanishes without a sweep:
// records with the index of their owner, entries of the feed, and counters.
func TestTimeToLive(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	ttl := func(key string) time.Duration {
		t.Helper()
		millis, _ := server.Do(t, "pttl", key).(int64)
		return time.Duration(millis) * time.Millisecond
	}
	wantTTL := func(key string, want time.Duration) { // from start on, or from now on
		t.Helper()
		if got := ttl(key); got > want+time.Second || got < want-time.Since(start)-time.Second {
			t.Errorf("time to live of %s = %s, want %s", strings.TrimPrefix(key, store.prefix), got, want)
		}
	}
	short, long, forever := record("short"), record("long"), record("forever")
	for _, r := range []*authcore.Record{&short, &long, &forever} {
		r.Owner = "owner"
	}
	short.Expires, forever.Expires = start.Add(10*time.Minute), time.Time{}
	put(t, store, long)
	put(t, store, short)
	wantTTL(store.recordKey(short.RecordKey), 10*time.Minute)
	wantTTL(store.key("o:owner"), time.Hour)
	put(t, store, forever)
	if got := ttl(store.key("o:owner")); got >= 0 {
		t.Errorf("time to live of an index with a record that never expires = %s, want none", got)
	}
	if _, err := store.TakeRecord(t.Context(), forever.RecordKey, start); err != nil {
		t.Fatalf("TakeRecord failed: %v", err)
	}
	put(t, store, record("other"))
	put(t, store, short)
	wantTTL(store.key("o:owner"), time.Hour)

	// The clock of the node is one day ahead or behind: the later clock decides.
	for _, skew := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		skewed := record(fmt.Sprint("skewed", skew))
		skewed.Expires = start.Add(skew + time.Hour)
		if err := store.PutRecord(t.Context(), skewed, authcore.PutOptions{Now: start.Add(skew)}); err != nil {
			t.Fatalf("PutRecord failed: %v", err)
		}
		wantTTL(store.recordKey(skewed.RecordKey), time.Hour+max(0, skew))
	}

	signUp(t, store, authcore.Account{User: user("u", ""), Revocations: []authcore.Revocation{
		{Kind: authcore.RevokeUser, ID: "a", Until: start.Add(2 * time.Hour)}, {Kind: authcore.RevokeUser, ID: "b", Until: start.Add(time.Hour)},
	}})
	wantTTL(store.key("v:user:a"), 2*time.Hour)
	wantTTL(store.key("v:user:b"), time.Hour)
	wantTTL(store.key("f:0"), 2*time.Hour)
	signUp(t, store, authcore.Account{User: user("w", ""), Revocations: []authcore.Revocation{
		{Kind: authcore.RevokeUser, ID: "a"}, {Kind: authcore.RevokeUser, ID: "c", Until: start.Add(72 * time.Hour)}, {Kind: authcore.RevokeUser, ID: "c"},
	}})
	wantTTL(store.key("v:user:a"), 24*time.Hour)
	wantTTL(store.key("v:user:c"), 72*time.Hour) // a lift outlives what it lifts

	store.db.counters.hashes = 1
	for party, window := range map[string]time.Duration{"a": time.Hour, "b": time.Minute} {
		if _, err := store.Count(t.Context(), start, []authcore.Counter{{Limit: "l", Party: party, Window: window, Add: 1}}); err != nil {
			t.Fatalf("Count failed: %v", err)
		}
	}
	wantTTL(store.key("c:0:l"), time.Hour)
}

// A feed of several chunks is read completely, from any position, and its beginning
// moves past chunks that have expired.
func TestFeedChunks(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	const entries = 3000
	revoke := func(from, to int) {
		t.Helper()
		account := authcore.Account{User: user(id(fmt.Sprint(from)), "")}
		for i := from; i < to; i++ {
			r := authcore.Revocation{Kind: authcore.RevokeSession, ID: fmt.Sprint(i), Until: start.Add(time.Hour)}
			account.Revocations = append(account.Revocations, r)
		}
		signUp(t, store, account)
	}
	cursors := []string{""}
	for from := 0; from < entries; from += 100 {
		revoke(from, from+100)
		_, cursor := follow(t, store, cursors[len(cursors)-1])
		cursors = append(cursors, cursor)
	}
	for i, cursor := range cursors {
		if got, _ := follow(t, store, cursor); len(got) != entries-100*i {
			t.Errorf("feed after %d entries = %d entries, want %d", 100*i, len(got), entries-100*i)
		}
	}
	signUp(t, store, authcore.Account{User: user("u", ""), Revocations: []authcore.Revocation{
		{Kind: authcore.RevokeUser, ID: "u", Until: start.Add(time.Hour)}, {Kind: authcore.RevokeUser, ID: "u"},
	}})
	_, end, _ := store.RevocationsSince(t.Context(), cursors[len(cursors)-1])
	if again, _, err := store.RevocationsSince(t.Context(), cursors[len(cursors)-1]); err != nil || len(again) != 1 || !again[0].Until.IsZero() {
		t.Errorf("feed after a revocation that was lifted = %v, error %v, want the lift only", again, err)
	}
	cursors = append(cursors, end)
	first, _, err := store.RevocationsSince(t.Context(), "")
	signUp(t, store, authcore.Account{User: user("again", ""), Revocations: []authcore.Revocation{first[0]}})
	if again, _, secondErr := store.RevocationsSince(t.Context(), ""); err != nil || secondErr != nil || again[0].ID != first[1].ID {
		t.Errorf("feed after a second revocation of %s begins with %s, want the entry only at the end", first[0].ID, again[0].ID)
	}
	for chunk := range 10 { // they expire
		server.Do(t, "del", store.key("f:", fmt.Sprint(chunk)))
	}
	if _, err := store.Sweep(t.Context(), start); err != nil {
		t.Fatalf("Sweep failed: %v", err)
	}
	if first := server.Do(t, "hget", store.key("meta"), "first"); first != "10" {
		t.Errorf("first chunk after Sweep = %v, want 10", first)
	}
	if got, _ := follow(t, store, ""); len(got) != entries-10*128+3 {
		t.Errorf("feed after chunks expired = %d entries, want %d", len(got), entries-10*128+3)
	}
	server.Do(t, "hincrby", store.key("meta"), "feed", 1_000_000) // many chunks have expired
	revoke(entries, entries+1)
	if got, _ := follow(t, store, cursors[len(cursors)-1]); !got[fmt.Sprint(entries)] {
		t.Errorf("feed after a gap = %v, want the last entry", got)
	}
}

// No key of a realm except the index of a kind grows with the number of users, so that
// a Cluster can move it.
func TestKeysStaySmall(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	const n = 4096
	for from := 0; from < n; from += 256 {
		var items []authcore.Item
		for i := from; i < from+256; i++ {
			person, login := user(id(fmt.Sprint(i)), fmt.Sprintf("user%d@example.com", i)), session(id(fmt.Sprint("s", i)))
			login.UserID = person.ID
			invitation, revocation := record(fmt.Sprint(i)), authcore.Revocation{Kind: authcore.RevokeUser, ID: fmt.Sprint(i), Until: start.Add(time.Hour)}
			items = append(items, authcore.Item{User: &person}, authcore.Item{Session: &login}, authcore.Item{Record: &invitation}, authcore.Item{Revocation: &revocation})
		}
		if count, err := store.Import(t.Context(), items); err != nil || count != len(items) {
			t.Fatalf("Import = %d, error %v, want %d", count, err, len(items))
		}
	}
	client := server.Client()
	defer client.Close()
	sizes := client.Pipeline()
	for _, key := range client.Keys(t.Context(), "*").Val() {
		sizes.MemoryUsage(t.Context(), key, 0)
	}
	answers, err := sizes.Exec(t.Context())
	if err != nil || len(answers) < n {
		t.Fatalf("MEMORY USAGE of %d keys = error %v, want %d keys at least", len(answers), err, n)
	}
	for _, answer := range answers {
		key, size := answer.Args()[2], answer.(*goredis.IntCmd).Val()
		if key == store.key("n:link") {
			size = max(0, size-150*n) // for each record
		}
		if size > 20_000 {
			t.Errorf("key %s has %d bytes", key, size)
		}
	}
}

// A step that is overtaken each time ends.
func TestConflictsAreBounded(t *testing.T) {
	t.Parallel()
	store := realm(t, open(t, Config{URL: redistest.Start(t, "appendonly no").URL()}), "main")
	put(t, store, record("a"))
	tries := 0
	_, err := store.UpdateRecord(t.Context(), record("a").RecordKey, start, func(r *authcore.Record) error {
		tries++
		r.Data = []byte("changed")
		other := record("a")
		other.Data = []byte(fmt.Sprint(tries))
		put(t, store, other)
		return nil
	})
	if !errors.Is(err, authcore.ErrUnavailable) || !strings.Contains(err.Error(), "gave up after 500 conflicting updates") || tries != maxTries {
		t.Errorf("UpdateRecord that is always overtaken = error %v after %d tries, want %d", err, tries, maxTries)
	}
}

// Counters of one limit take a bounded room and push out none of another limit
// (CWE-770). Which counters share a hash differs between realms.
func TestCountersAreSpread(t *testing.T) {
	db := open(t, Config{URL: redistest.Start(t, "appendonly no").URL()})
	db.counters = counterBounds{hashes: 4, perHash: 5}
	hashes := map[string][]string{}
	for _, name := range []string{"main", "other"} {
		store := realm(t, db, name)
		for i := range 100 {
			counter := authcore.Counter{Limit: "flood", Party: fmt.Sprint(i), Window: time.Hour, Add: 1}
			if _, err := store.Count(t.Context(), start, []authcore.Counter{counter}); err != nil {
				t.Fatalf("Count failed: %v", err)
			}
		}
		for i := range 4 {
			fields, _ := command(t, store, "hkeys", store.key("c:", fmt.Sprint(i), ":flood")).([]any)
			if len(fields) != 5 {
				t.Errorf("hash %d has %d counters, want 5", i, len(fields))
			}
			for _, field := range fields {
				hashes[name] = append(hashes[name], fmt.Sprint(field))
			}
		}
	}
	if slices.ContainsFunc(hashes["main"], func(field string) bool { return slices.Contains(hashes["other"], field) }) {
		t.Error("counters of two realms have a field in common")
	}
}

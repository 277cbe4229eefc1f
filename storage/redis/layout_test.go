package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
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
	wantTTL := func(key string, want time.Duration) {
		t.Helper()
		if got := ttl(key); got > want+time.Second || got < want-time.Minute {
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
	keys, _ := server.Do(t, "keys", "*").([]any)
	for _, key := range keys {
		size, _ := server.Do(t, "memory", "usage", key, "samples", 0).(int64)
		if key == store.key("n:link") {
			size = max(0, size-150*n) // for each record
		}
		if size > 20_000 {
			t.Errorf("key %s has %d bytes", key, size)
		}
	}
}

// When everything was deleted or has expired, only meta is left.
func TestNothingIsLeftBehind(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ctx := t.Context()
	for range 2000 {
		userID := fmt.Sprint(random.IntN(10))
		identity := authcore.Identity{Provider: "p", Subject: fmt.Sprint(random.IntN(10)), Created: start}
		identity.State = []authcore.IdentityState{authcore.IdentityActive, authcore.IdentityUnlinked, authcore.IdentityPending}[random.IntN(3)]
		email := fmt.Sprintf("%d@example.com", random.IntN(10))
		owned := record(fmt.Sprint(random.IntN(10)))
		owned.Owner = userID
		owned.Created = start.Add(time.Duration(random.IntN(10)) * time.Second)
		change := func(a *authcore.Account) error {
			switch random.IntN(6) {
			case 0:
				a.User.Email, a.User.EmailVerified = email, random.IntN(2) == 0
			case 1:
				if a.Identity(identity.Key()) == nil {
					a.Identities = append(a.Identities, identity)
				}
			case 2:
				a.Identities = nil
			case 3, 4:
				a.Start(session(fmt.Sprint(random.IntN(40))), 3)
			case 5:
				a.EndSessions(func(authcore.Session) bool { return random.IntN(2) == 0 })
			}
			return nil
		}
		var err error
		switch random.IntN(7) {
		case 0:
			_, err = store.Login(ctx, authcore.LoginStep{
				Now: start, Proof: owned.RecordKey, Refs: []authcore.UserRef{{ID: userID}, {EmailKey: email}, {Identity: identity.Key()}},
				Decide: func(found authcore.LoginFound) (authcore.Account, error) {
					account := found.Accounts[random.IntN(3)]
					if account.User.ID == "" {
						account.User = user(userID, email)
					}
					err := change(&account)
					return account, err
				},
			})
		case 1, 2:
			_, err = store.UpdateAccount(ctx, userID, start, change)
		case 3:
			err = store.DeleteUser(ctx, userID, authcore.Revocation{Kind: authcore.RevokeUser, ID: userID, Until: start.Add(time.Minute)})
		case 4, 5:
			err = store.PutRecord(ctx, owned, authcore.PutOptions{Now: start, OwnedByUser: true, Keep: random.IntN(4)})
		case 6:
			_, err = store.Sweep(ctx, start)
		}
		if errors.Is(err, authcore.ErrUnavailable) {
			t.Fatalf("a step failed: %v", err)
		}
	}
	agree(t, store)
	for i := range 10 {
		err := store.DeleteUser(ctx, fmt.Sprint(i), authcore.Revocation{Kind: authcore.RevokeUser, ID: fmt.Sprint(i)})
		if err != nil && !errors.Is(err, authcore.ErrNotFound) {
			t.Fatalf("DeleteUser failed: %v", err)
		}
	}
	keys, _ := server.Do(t, "keys", "*").([]any)
	for _, key := range keys {
		name := strings.TrimPrefix(fmt.Sprint(key), store.prefix)
		if name != "meta" && !strings.HasPrefix(name, "v:") && !strings.HasPrefix(name, "f:") {
			t.Errorf("key %s is left", name)
		}
	}
}

// agree checks that indexes lead to the users that have the items.
func agree(t *testing.T, store *Store) {
	t.Helper()
	users, _, err := store.Users(t.Context(), authcore.UserFilter{}, "")
	if err != nil {
		t.Fatalf("Users failed: %v", err)
	}
	indexes := 0
	for _, user := range users {
		account, err := store.Account(t.Context(), authcore.UserRef{ID: user.ID}, start)
		if err != nil {
			t.Fatalf("Account failed: %v", err)
		}
		refs := []authcore.UserRef{}
		if key := user.EmailKey(); key != "" {
			refs = append(refs, authcore.UserRef{EmailKey: key})
		}
		for _, identity := range account.Identities {
			refs = append(refs, authcore.UserRef{Identity: identity.Key()})
		}
		for _, ref := range refs {
			if got, err := store.User(t.Context(), ref); err != nil || got.ID != user.ID {
				t.Errorf("User(%+v) = %s, error %v, want %s", ref, got.ID, err, user.ID)
			}
		}
		indexes += len(refs)
	}
	emails, _ := command(t, store, "keys", store.key("e:*")).([]any)
	identities, _ := command(t, store, "keys", store.key("i:*")).([]any)
	if len(emails)+len(identities) != indexes {
		t.Errorf("%d keys of addresses and %d of identities, want %d together", len(emails), len(identities), indexes)
	}
}

// Sweep deletes what has expired by both clocks, counts damage in due users each
// time, makes progress despite it, and ends with its context.
func TestSweep(t *testing.T) {
	store := realm(t, open(t, Config{URL: redistest.Start(t, "appendonly no").URL()}), "main")
	const users = 250
	for i := range users {
		account := authcore.Account{User: user(fmt.Sprintf("00000%03d", i), ""), Sessions: []authcore.Session{session("due"), session("live")}}
		account.Sessions[0].Expires = start.Add(-time.Minute)
		signUp(t, store, account)
		if i < 120 { // more than one step examines
			damaged := session("live")
			damaged.UserID = account.User.ID
			damage(t, store, authcore.Item{Session: &damaged}, "junk")
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Sweep(ended, start); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep with an ended context = error %v, want %v", err, context.Canceled)
	}
	for round, want := range []authcore.Swept{{}, {Removed: users, Damaged: 120}, {Damaged: 120}} {
		now := start
		if round == 0 {
			now = start.Add(-time.Hour)
		}
		if swept, err := store.Sweep(t.Context(), now); err != nil || swept != want {
			t.Errorf("Sweep %d = %+v, error %v, want %+v", round, swept, err, want)
		}
	}
	if ids := sessions(t, store, "00000249"); len(ids) != 1 || !ids["live"] {
		t.Errorf("sessions after Sweep = %v, want the live one", ids)
	}
	if swept, err := store.Sweep(t.Context(), start.Add(24*time.Hour)); err != nil || swept.Removed != 0 {
		t.Errorf("Sweep by a clock that is ahead = %+v, error %v, want nothing removed", swept, err)
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

// A sequence of IDs is in the order of its shards.
func FuzzShard(f *testing.F) {
	f.Add("00", "0-")
	f.Add("59f", "5A")
	f.Add("", "\xff")
	f.Add("fff0", "ffg")
	f.Add("5f9", "5z")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a > b {
			a, b = b, a
		}
		if x, y := shard(a), shard(b); x > y || x < 0 || y >= shards {
			t.Errorf("shard(%q) = %d, shard(%q) = %d, want the order of the IDs", a, x, b, y)
		}
	})
}

// Any stored text is decoded or refused, and no error cites it.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "{}", "null", `{"id":"u","expires":"x"}`, `1 2 {"kind":"user"}`, `[{"id":"k"}]`, "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		user := state{id: "u", fields: map[string]string{userField: text, "s" + text: text, "i": text, seenField + text: text, text: text}}
		_, recordErr := decodeRecord(text, start)
		_, keysErr := decodeKeys(text)
		decodeRevocations([]string{text}, int64(1))
		for _, err := range []error{user.decode(start), recordErr, keysErr} {
			if err != nil && len(text) > 12 && strings.Contains(err.Error(), text) {
				t.Errorf("error %v cites %q", err, text)
			}
		}
	})
}

// Messages of the client library go to the logger that was set.
func TestLogger(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	server.Kill(t)
	messages := make(chan string, 100)
	SetLogger(logTo(messages))
	defer SetLogger(logTo(nil))
	if _, err := open(t, Config{URL: server.URL()}).Realm(t.Context(), "main"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Realm of a killed server = error %v, want %v", err, authcore.ErrUnavailable)
	}
	servertest.Eventually(t, "a message", func() bool { return len(messages) > 0 })
	if text := <-messages; !strings.Contains(text, "failed to dial") {
		t.Errorf("message = %q, want one about a failed connection", text)
	}
}

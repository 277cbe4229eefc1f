package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// odd is what an attacker, a provider or a careless operator may put into a name,
// an address, an id: what means something to Redis, to Lua, to patterns, to hash
// tags, to the coding of lists (CWE-74, CWE-943).
func odd() []string {
	all := []string{
		"}", "{", "{}", "{x}", "a}:users", "{main}:users", "*", "?", "[a-z]", `\`, "\x00", "a\x00b", "\r\n", "\r\n*1\r\n$8\r\nFLUSHALL\r\n",
		"'", `"`, "]]", "--", "'..redis.call('FLUSHALL')..'", "') redis.call('FLUSHALL') --", "%s%d%n", "%z", "%", "%7d",
		"+inf", "-inf", "-", "+", "(a", "[a", "5:a,b,", "0:,", ",", ":", "1", "-1", "nan", "true", "false", "nil", "null",
		"\xff", "\xff\xff\xff", "\xc0\x80", "ü", "\u202e", " ", "\t", strings.Repeat("x", 1<<20),
	}
	for b := range 256 {
		all = append(all, "byte"+string([]byte{byte(b)}))
	}
	return all
}

// Whatever stands in a text, it comes back as it was, means itself and nothing
// else, and changes nothing of a neighbour. JSON replaces bytes that are no UTF-8,
// in every store, so those are tried where a text is no part of a value.
func TestOddTexts(t *testing.T) {
	store := realm(t, open(t, Config{URL: redistest.Start(t, "appendonly no").URL()}), "main")
	ctx := t.Context()
	mustEnsure(t, store, user("neighbour", "neighbour@example.com"))
	if err := store.PutSession(ctx, session("neighbour", "neighbour")); err != nil {
		t.Fatal(err)
	}
	texts := odd()
	for i, text := range texts {
		valid := fmt.Sprint(i, strings.ToValidUTF8(text, "?"))
		mustEnsure(t, store, user("u"+valid, ""))
		identity := authcore.Identity{Provider: "p", Issuer: text, Subject: text, UserID: "u" + valid}
		if err := store.LinkIdentity(ctx, identity); err != nil {
			t.Fatalf("%.20q: LinkIdentity: %v", text, err)
		}
		put := session("s"+valid, "u"+valid)
		put.UserAgent, put.TokenID = valid, "t"+text
		if err := store.PutSession(ctx, put); err != nil {
			t.Fatalf("%.20q: PutSession: %v", text, err)
		}
		mailed := link(text)
		if err := store.PutLink(ctx, mailed); err != nil {
			t.Fatalf("%.20q: PutLink: %v", text, err)
		}
	}
	for i, text := range texts {
		valid := fmt.Sprint(i, strings.ToValidUTF8(text, "?"))
		got, err := store.UserByIdentity(ctx, authcore.Identity{Provider: "p", Issuer: text, Subject: text})
		if err != nil || got.ID != "u"+valid {
			t.Errorf("%.20q: UserByIdentity: %.20q, error %v", text, got.ID, err)
		}
		sessions, err := store.SessionsOf(ctx, "u"+valid, origin)
		if err != nil || len(sessions) != 1 || sessions[0].ID != "s"+valid || sessions[0].UserAgent != valid || sessions[0].TokenID != "t"+text {
			t.Errorf("%.20q: SessionsOf: %d, error %v", text, len(sessions), err)
		}
		taken, err := store.TakeCode(ctx, text, link(text).Code, origin)
		if err != nil || taken.EmailKey != text {
			t.Errorf("%.20q: TakeCode: %.20q, error %v", text, taken.EmailKey, err)
		}
		tallies, err := store.Count(ctx, origin, []authcore.Counter{{Limit: "l" + text, Party: text, Window: time.Hour}})
		if err != nil || tallies[0].N != 1 {
			t.Errorf("%.20q: Count: %v, error %v", text, tallies, err)
		}
	}
	if err := store.Sweep(ctx, origin.Add(30*time.Minute)); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	for i, text := range texts {
		valid := fmt.Sprint(i, strings.ToValidUTF8(text, "?"))
		if err := store.DeleteUser(ctx, "u"+valid, origin.Add(time.Hour), origin); err != nil && !errors.Is(err, authcore.ErrNotFound) {
			t.Errorf("%.20q: DeleteUser: %v", text, err)
		}
	}
	if sessions, err := store.SessionsOf(ctx, "neighbour", origin); err != nil || len(sessions) != 1 {
		t.Errorf("the neighbour's sessions: %v, error %v", sessions, err)
	}
	if _, err := store.UserByEmail(ctx, "neighbour@example.com"); err != nil {
		t.Errorf("the neighbour: %v", err)
	}
	revoked, _ := follow(t, store, "")
	if revoked["neighbour"] || !revoked["s2{}"] {
		t.Error("the feed has the wrong sessions")
	}
}

// Realms whose names look like parts of keys, like hash tags or like nothing stay
// apart, on one server and in a Cluster, where a step needs all its keys in one
// slot.
func TestOddRealms(t *testing.T) {
	for name, config := range map[string]Config{
		"server":  {URL: redistest.Start(t, "appendonly no").URL(), KeyPrefix: "a:b "},
		"cluster": {URL: redistest.StartCluster(t, "appendonly no").URL(), Cluster: true},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, config)
			names := slices.DeleteFunc(odd(), func(text string) bool { return len(text) > 100 })
			for i, text := range names {
				store := realm(t, db, text)
				if _, created, err := store.EnsureUser(t.Context(), user(fmt.Sprint(i), "ada@example.com")); err != nil || !created {
					t.Errorf("%q: created %v, error %v", text, created, err)
				}
			}
			for i, text := range names {
				got, err := realm(t, db, text).UserByEmail(t.Context(), "ada@example.com")
				if err != nil || got.ID != fmt.Sprint(i) {
					t.Errorf("%q: user %s of realm %q, error %v", text, got.ID, names[0], err)
				}
			}
		})
	}
	if _, err := open(t, Config{URL: "redis://127.0.0.1:1"}).Realm(t.Context(), ""); err == nil {
		t.Error("a realm without a name")
	}
	for _, prefix := range []string{"a{", "}", "a*", "?", "[", "]", `\`} {
		if _, err := Open(Config{URL: "redis://127.0.0.1:1", KeyPrefix: prefix}); err == nil {
			t.Errorf("key prefix %q was taken", prefix)
		}
	}
}

// An id is never used again. A candidate with the id of somebody must not replace
// that user, nor a session the session of another user (CWE-639).
func TestIDsAreNotReplaced(t *testing.T) {
	store := realm(t, open(t, Config{URL: redistest.Start(t, "appendonly no").URL()}), "main")
	mustEnsure(t, store, user("1", "ada@example.com"))
	mustEnsure(t, store, user("2", "grace@example.com"))
	if _, _, err := store.EnsureUser(t.Context(), user("1", "mallory@example.com")); !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("EnsureUser: error %v", err)
	}
	identity := authcore.Identity{Provider: "github", Subject: "1"}
	if _, _, err := store.EnsureIdentity(t.Context(), identity, user("1", ""), true); !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("EnsureIdentity: error %v", err)
	}
	if err := store.PutSession(t.Context(), session("s", "1")); err != nil {
		t.Fatal(err)
	}
	if err := store.PutSession(t.Context(), session("s", "2")); !errors.Is(err, authcore.ErrTaken) {
		t.Errorf("PutSession: error %v", err)
	}
	if _, _, err := store.EnsureUser(t.Context(), user("", "nobody@example.com")); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("a user without an id: error %v", err)
	}
	got, err := store.UpdateUser(t.Context(), "1", func(u *authcore.User) error {
		u.ID, u.Disabled = "2", true // disabling has to end the sessions
		return nil
	})
	if err != nil || got.ID != "1" || got.Disabled {
		t.Errorf("UpdateUser: %+v, error %v", got, err)
	}
}

// A damaged entry is a failure of the engine, never an answer; what stands in it is
// not cited (CWE-209), and a step that meets one half-way leaves nothing behind:
// Redis does not undo a script that fails.
func TestDamagedEntries(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	db := open(t, Config{URL: server.URL()})
	ctx := t.Context()
	for _, junk := range []string{"secret", "", "a-{secret", strings.Repeat("9", stampLength) + "secret", "x:secret", "999999:secret,"} {
		store := realm(t, db, fmt.Sprintf("realm%x", junk))
		storagetest.Furnish(t, store)
		damage := func(table int, key string) { server.Do(t, "hset", store.tables[table], key, junk) }
		state := func() map[string]any {
			all := make(map[string]any)
			for i, name := range tableNames() {
				if i != countersTable && i != limitsTable {
					all[name] = server.Do(t, "dump", store.tables[i])
				}
			}
			return all
		}
		for _, damaged := range []struct {
			table int
			key   string
			steps []string
		}{
			{usersTable, "u", []string{"User", "UserByEmail", "UpdateUser", "UserByIdentity"}},
			{sessionsTable, "renew", []string{"SessionsOf", "RenewSession"}},
			{sessionsTable, "end", []string{"EndSessions"}},
			{linksTable, bytesOf(link("take").Secret), []string{"TakeLink"}},
			{linksTable, bytesOf(link("code").Secret), []string{"TakeCode"}},
			{flowsTable, bytesOf(authcore.Digest{2}), []string{"TakeFlow"}},
			{flowsTable, bytesOf(authcore.Digest{3}), []string{"UpdateFlow"}},
			{identitiesTable, identityKey(authcore.Identity{Provider: "p", Subject: "1"}), []string{"UserByIdentity", "LinkIdentity", "IdentitiesOf", "Export"}},
		} {
			before := server.Do(t, "hget", store.tables[damaged.table], damaged.key)
			damage(damaged.table, damaged.key)
			for _, name := range damaged.steps {
				as := state()
				err := storagetest.Steps(store)[name](ctx)
				if !errors.Is(err, authcore.ErrUnavailable) || errors.Is(err, authcore.ErrNotFound) {
					t.Errorf("%q in table %d: %s: error %v", junk, damaged.table, name, err)
				}
				if err != nil && strings.Contains(err.Error(), "secret") {
					t.Errorf("%s cites the entry: %v", name, err)
				}
				if taken := strings.HasPrefix(name, "Take"); !taken && !reflect.DeepEqual(as, state()) {
					t.Errorf("%q in table %d: %s left a half", junk, damaged.table, name)
				}
			}
			server.Do(t, "hset", store.tables[damaged.table], damaged.key, before)
		}
		// A damaged session does not stop its user from being disabled by halves.
		damage(sessionsTable, "end")
		as := state()
		if _, err := store.SetDisabled(ctx, "ending", true, origin, origin); err != nil && !reflect.DeepEqual(as, state()) {
			t.Errorf("%q: SetDisabled left a half", junk)
		}
		if err := store.DeleteUser(ctx, "ending", origin, origin); err != nil && !reflect.DeepEqual(as, state()) {
			t.Errorf("%q: DeleteUser left a half", junk)
		}
		server.Do(t, "set", store.tables[keysTable], "secret")
		if _, err := store.UpdateKeys(ctx, nil); !errors.Is(err, authcore.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
			t.Errorf("UpdateKeys: error %v", err)
		}
	}
}

func bytesOf(digest authcore.Digest) string { return string(digest[:]) }

// Another program's keys, or those of a newer version, are left alone.
func TestForeignFormats(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	db := open(t, Config{URL: server.URL()})
	for format, want := range map[string]string{"2": "run the newer program", "0": "another program", "x": "another program"} {
		store := realm(t, db, "main")
		server.Do(t, "hset", store.tables[metaTable], "format", format)
		if _, err := db.Realm(t.Context(), "main"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("format %s: %v", format, err)
		}
		server.Do(t, "hset", store.tables[metaTable], "format", "1")
	}
	server.Do(t, "set", "edgeauth:{taken}:meta", "text")
	if _, err := db.Realm(t.Context(), "taken"); err == nil {
		t.Error("a table that is a text was taken")
	}
}

// A cursor of another history, or one that was never given out, must not hide
// revocations.
func TestForeignCursorsGetEverything(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	mustEnsure(t, store, user("1", ""))
	if _, err := store.SetDisabled(t.Context(), "1", true, origin.Add(time.Hour), origin); err != nil {
		t.Fatal(err)
	}
	_, cursor, err := store.RevocationsSince(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, history, _ := strings.Cut(cursor, "@")
	for _, foreign := range []string{
		"", "0", "1", "1@", "1@x", "2@" + history, "9007199254740993@" + history, "18446744073709551615@" + history,
		"-1@" + history, "x@" + history, " 1@" + history, "1e0@" + history, "0x1@" + history, "1@" + history + "x",
		"@" + history, strings.Repeat("9", 99) + "@" + history, "1\x00@" + history,
	} {
		entries, next, err := store.RevocationsSince(t.Context(), foreign)
		if err != nil || len(entries) != 1 || next != cursor {
			t.Errorf("cursor %q: %v, next %q, error %v", foreign, entries, next, err)
		}
	}
	entries, _, err := store.RevocationsSince(t.Context(), cursor)
	if err != nil || len(entries) != 0 {
		t.Errorf("after all: %v, error %v", entries, err)
	}
	// Everything is deleted and made anew while the server runs on: its history is
	// the same, and the numbers begin again.
	server.Do(t, "flushall")
	store = realm(t, store.db, "main")
	for _, id := range []string{"2", "3"} {
		mustEnsure(t, store, user(id, ""))
		if _, err := store.SetDisabled(t.Context(), id, true, origin.Add(time.Hour), origin); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _, err := store.RevocationsSince(t.Context(), cursor); err != nil || len(entries) != 2 {
		t.Errorf("after all was deleted: %v, error %v", entries, err)
	}
	for _, foreign := range []string{"x", "u", "u!", "r", "rx", "k", "e", "\x00"} {
		if _, _, err := store.Export(t.Context(), foreign, origin); err != nil {
			t.Errorf("Export after %q: %v", foreign, err)
		}
	}
}

// Whoever makes many counters of one limit takes a bounded room, and pushes out
// none of another limit (CWE-770).
func TestCountersAreBounded(t *testing.T) {
	db := open(t, Config{URL: redistest.Start(t, "appendonly no").URL()})
	db.maxCounters = 10
	store := realm(t, db, "main")
	count := func(limit, party string) int {
		t.Helper()
		tallies, err := store.Count(t.Context(), origin, []authcore.Counter{{Limit: limit, Party: party, Window: time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		return tallies[0].N
	}
	count("other", "victim")
	for i := range 50 {
		count("flood", fmt.Sprint(i))
	}
	if n := count("other", "victim"); n != 2 {
		t.Errorf("the counter of another limit: %d, want 2", n)
	}
	kept, err := db.do(t.Context(), []any{"hlen", store.tables[countersTable]})
	if err != nil || kept != int64(11) {
		t.Errorf("%v counters, error %v; want 11", kept, err)
	}
	if err := store.Sweep(t.Context(), origin.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if kept, err = db.do(t.Context(), []any{"hlen", store.tables[countersTable]}); err != nil || kept != int64(0) {
		t.Errorf("%v counters after Sweep, error %v", kept, err)
	}
}

// Sweep goes in steps, so that it holds nobody up, and ends with its context. When
// everything has gone, nothing is left behind in an index.
func TestSweepLeavesNothing(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	mustEnsure(t, store, user("u", ""))
	for i := range 2*sweepSteps + 1 {
		flow := authcore.Flow{State: authcore.DigestOf("flow", fmt.Sprint(i)), Expires: origin}
		if err := store.PutFlow(t.Context(), flow); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		if err := errors.Join(
			store.PutLink(t.Context(), link(fmt.Sprint(i))),
			store.PutSession(t.Context(), session(fmt.Sprint(i), "u")),
		); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.EndSessions(t.Context(), "u", func(s authcore.Session) bool { return s.ID < "5" }, origin); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Sweep(ended, origin.Add(time.Minute)); !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep: error %v", err)
	}
	if err := store.Sweep(t.Context(), origin.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n := server.Do(t, "hlen", store.tables[flowsTable]); n != int64(0) {
		t.Errorf("%v flows", n)
	}
	if err := store.Sweep(t.Context(), origin.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for i, table := range tableNames() {
		kept := slices.Contains([]int{usersTable, userIDsTable, metaTable}, i)
		if exists := server.Do(t, "exists", store.tables[i]) == int64(1); exists != kept {
			t.Errorf("%s: exists %v", table, exists)
		}
	}
}

// Steps of all kinds in any order keep tables and indexes in agreement.
func TestIndexesAgree(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ctx, now := t.Context(), origin
	for range 3000 {
		id := fmt.Sprint(random.IntN(10))
		identity := authcore.Identity{Provider: "p", Subject: fmt.Sprint(random.IntN(10)), UserID: id}
		var err error
		switch random.IntN(12) {
		case 0, 1:
			_, _, err = store.EnsureUser(ctx, user(id, fmt.Sprintf("%d@example.com", random.IntN(10))))
		case 2:
			_, err = store.UpdateUser(ctx, id, func(u *authcore.User) error {
				u.Email, u.EmailVerified = fmt.Sprintf("%d@example.com", random.IntN(10)), random.IntN(2) == 0
				return nil
			})
		case 3:
			_, err = store.SetDisabled(ctx, id, random.IntN(3) == 0, now.Add(time.Hour), now)
		case 4:
			err = store.DeleteUser(ctx, id, now.Add(time.Hour), now)
		case 5:
			_, _, err = store.EnsureIdentity(ctx, identity, user(id, ""), true)
		case 6:
			err = store.LinkIdentity(ctx, identity)
		case 7:
			if err = store.UnlinkIdentity(ctx, identity); errors.Is(err, authcore.ErrUnavailable) {
				t.Fatal(err)
			}
			other := authcore.Identity{Provider: "p", Subject: fmt.Sprint(random.IntN(10))}
			_, err = store.ReplaceIdentity(ctx, identity, []authcore.Identity{other})
		case 8, 9:
			s := session(fmt.Sprint(random.IntN(40)), id)
			s.Expires = now.Add(time.Duration(random.IntN(5)) * time.Hour)
			err = store.PutSession(ctx, s)
		case 10:
			_, err = store.EndSessions(ctx, id, func(authcore.Session) bool { return random.IntN(2) == 0 }, now)
		case 11:
			now = now.Add(10 * time.Minute)
			err = store.Sweep(ctx, now)
		}
		if errors.Is(err, authcore.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	size := func(command string, table int) any { return server.Do(t, command, store.tables[table]) }
	for _, pair := range [][2]int{
		{usersTable, userIDsTable},
		{identitiesTable, identitiesByUserTable},
		{sessionsTable, sessionsByUserTable},
		{revocationsTable, feedTable},
	} {
		if values, index := size("hlen", pair[0]), size("zcard", pair[1]); values != index {
			t.Errorf("%s has %v, %s %v", tableNames()[pair[0]], values, tableNames()[pair[1]], index)
		}
	}
	verified := int64(0)
	for range store.exportAll(t, now) {
		verified++
	}
	if holders := size("hlen", emailsTable); holders != verified {
		t.Errorf("%v addresses are held, %v users have one", holders, verified)
	}
	expiring, _ := size("zcard", expiryTable).(int64)
	sessions, _ := size("hlen", sessionsTable).(int64)
	revocations, _ := size("hlen", revocationsTable).(int64)
	if expiring != sessions+revocations {
		t.Errorf("%d things expire, there are %d sessions and %d revocations", expiring, sessions, revocations)
	}
}

// exportAll returns the users with a verified address.
func (s *Store) exportAll(t *testing.T, now time.Time) map[string]bool {
	t.Helper()
	users := make(map[string]bool)
	for cursor := ""; ; {
		records, next, err := s.Export(t.Context(), cursor, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records {
			if record.User != nil && record.User.EmailKey() != "" {
				users[record.User.ID] = true
			}
		}
		if cursor = next; len(records) == 0 {
			return users
		}
	}
}

// Stamps keep the order of times, to the nanosecond and beyond 1970.
func FuzzStamp(f *testing.F) {
	f.Add(int64(0), int64(0), int64(0), int64(1))
	f.Add(int64(-62135596800), int64(0), origin.Unix(), int64(999_999_999))
	f.Fuzz(func(t *testing.T, seconds, nanoseconds, otherSeconds, otherNanoseconds int64) {
		a, b := time.Unix(seconds%250_000_000_000, nanoseconds), time.Unix(otherSeconds%250_000_000_000, otherNanoseconds)
		if len(stamp(a)) != stampLength {
			t.Fatalf("stamp %q", stamp(a))
		}
		if a.Before(time.Time{}) || b.Before(time.Time{}) {
			return // cut
		}
		if strings.Compare(stamp(a), stamp(b)) != a.Compare(b) {
			t.Errorf("%v and %v: %s and %s", a, b, stamp(a), stamp(b))
		}
		if back, err := parseStamp(stamp(a)); err != nil || !back.Equal(a) {
			t.Errorf("%v came back as %v, error %v", a, back, err)
		}
	})
}

// Whatever Redis returns, reading it ends in a value or an error that does not cite
// it, and what was written is read back.
func FuzzDecode(f *testing.F) {
	text, err := encodeSession(session("s", "u"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{text, "", "a-{}", "1:a,{}", strings.Repeat("9", 2*stampLength) + "1:a,1:b,{}", "99999999999999999999:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var errs []error
		note := func(err error) { errs = append(errs, err) }
		_, err := decodeUser(text)
		note(err)
		_, err = decodeIdentity(text)
		note(err)
		_, err = decodeLink(text)
		note(err)
		_, err = decodeFlow(text)
		note(err)
		_, err = decodeRevocation(text, text, origin)
		note(err)
		_, err = decodeKeys(text)
		note(err)
		for _, err := range errs {
			if err != nil && len(text) > 12 && strings.Contains(err.Error(), text) {
				t.Errorf("cites %q: %v", text, err)
			}
		}
		decoded, err := decodeSession(text)
		if err != nil {
			return
		}
		again, err := encodeSession(decoded)
		if err != nil {
			return // a year without a JSON form
		}
		back, err := decodeSession(again)
		if err != nil || back.ID != decoded.ID || back.UserID != decoded.UserID || !back.Expires.Equal(decoded.Expires) {
			t.Errorf("%+v came back as %+v, error %v", decoded, back, err)
		}
	})
}

package redis

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
)

// odd returns texts that an attacker, a provider or an operator may put into a name,
// an address or an ID, and that mean something to Redis, Lua, patterns, hash tags or
// the encoding of lists (CWE-74, CWE-943).
func odd() []string {
	all := []string{
		"}", "{", "{}", "{x}", "a}:users", "{main}:users", "*", "?", "[a-z]", `\`, "\x00", "a\x00b", "\r\n", "\r\n*1\r\n$8\r\nFLUSHALL\r\n",
		"'", `"`, "]]", "--", "'..redis.call('FLUSHALL')..'", "') redis.call('FLUSHALL') --", "%s%d%n", "%z", "%", "%7d",
		"+inf", "-inf", "-", "+", "(a", "[a", "5:a,b,", "0:,", ",", ":", "1", "-1", "nan", "true", "false", "nil", "null",
		"\xff", "\xff\xff\xff", "\xc0\x80", "ü", "\u202e", " ", "\t", "=", "~", strings.Repeat("x", 1<<20),
	}
	for b := range 256 {
		all = append(all, "byte"+string([]byte{byte(b)}))
	}
	return all
}

// Any text is returned unchanged, has no meaning of its own, and changes nothing of
// another user. JSON replaces bytes that are not valid UTF-8, in every engine, so
// those are used where a text is only part of a key.
func TestOddTexts(t *testing.T) {
	store := realm(t, open(t, Config{URL: redistest.Start(t, "appendonly no").URL()}), "main")
	ctx := t.Context()
	neighbour := authcore.Account{User: user("neighbour", "neighbour@example.com"), Sessions: []authcore.Session{session("neighbour")}}
	signUp(t, store, neighbour)
	texts := odd()
	for i, text := range texts {
		valid := fmt.Sprint(i, strings.ToValidUTF8(text, "?"))
		account := authcore.Account{User: user("u"+valid, ""), Sessions: []authcore.Session{session("s" + valid)}}
		account.User.FirstName, account.Sessions[0].UserAgent, account.Sessions[0].Token.ID = valid, valid, valid
		account.Identities = []authcore.Identity{{Provider: "p", Issuer: valid, Subject: valid, Created: start}}
		signUp(t, store, account)
		got, err := store.Account(ctx, authcore.UserRef{Identity: account.Identities[0].Key()}, start)
		if err != nil || got.User.ID != "u"+valid || got.User.FirstName != valid || len(got.Sessions) != 1 || got.Sessions[0].UserAgent != valid {
			t.Errorf("Account by identity %.20q = %.20q, error %v", text, got.User.ID, err)
		}
		for _, ref := range []authcore.UserRef{{ID: "-" + text}, {EmailKey: "-" + text}, {Identity: authcore.IdentityKey{Subject: text}}} {
			if _, err := store.User(ctx, ref); !errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("User by unknown %.20q = error %v, want %v", text, err, authcore.ErrNotFound)
			}
		}
		tallies, err := store.Count(ctx, start, []authcore.Counter{{Limit: "l" + text, Party: text, Window: time.Hour, Add: 1}})
		if err != nil || tallies[0].N != 1 {
			t.Errorf("Count(%.20q) = %v, error %v, want 1", text, tallies, err)
		}
		data := record(fmt.Sprint(i))
		data.Data = []byte(text)[:min(len(text), 16<<10)]
		put(t, store, data)
		if got, err := store.Record(ctx, data.RecordKey, start); err != nil || !bytes.Equal(got.Data, data.Data) {
			t.Errorf("Record with data %.20q = %.20q, error %v", text, got.Data, err)
		}
	}
	for i, text := range texts {
		userID := "u" + fmt.Sprint(i, strings.ToValidUTF8(text, "?"))
		revocation := authcore.Revocation{Kind: authcore.RevokeUser, ID: userID, Until: start.Add(time.Hour), Value: strings.ToValidUTF8(text, "?")}
		if err := store.DeleteUser(ctx, userID, revocation); err != nil {
			t.Errorf("DeleteUser(%.20q) = error %v", userID, err)
		}
	}
	if ids := sessions(t, store, "neighbour"); len(ids) != 1 {
		t.Errorf("sessions of the neighbour = %v, want one", ids)
	}
	revoked, _ := follow(t, store, "")
	if revoked["neighbour"] || !revoked["u2{}"] || len(revoked) != len(texts) {
		t.Errorf("the feed has %d entries, want the %d deleted users", len(revoked), len(texts))
	}
}

// Realms whose names look like parts of keys or like hash tags are separate, on one
// server and in a Cluster, where a step needs all its keys in one slot.
func TestOddRealms(t *testing.T) {
	for name, config := range map[string]Config{
		"server":  {URL: redistest.Start(t, "appendonly no").URL(), KeyPrefix: "a:b "},
		"cluster": {URL: redistest.StartCluster(t, "appendonly no").URL(), Cluster: true},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, config)
			names := slices.DeleteFunc(odd(), func(text string) bool { return len(text) > 100 })
			for i, text := range names {
				signUp(t, realm(t, db, text), authcore.Account{User: user(fmt.Sprint(i), "ada@example.com")})
			}
			for i, text := range names {
				got, err := realm(t, db, text).User(t.Context(), authcore.UserRef{EmailKey: "ada@example.com"})
				if err != nil || got.ID != fmt.Sprint(i) {
					t.Errorf("User of realm %q = %s, error %v, want %d", text, got.ID, err, i)
				}
			}
		})
	}
	if _, err := open(t, Config{URL: "redis://127.0.0.1:1"}).Realm(t.Context(), ""); err == nil {
		t.Error("Realm without a name = nil, want an error")
	}
	for _, prefix := range []string{"a{", "}", "a*", "?", "[", "]", `\`} {
		if _, err := Open(Config{URL: "redis://127.0.0.1:1", KeyPrefix: prefix}); err == nil {
			t.Errorf("Open with key prefix %q = nil, want an error", prefix)
		}
	}
}

// A new account with the ID of another user must not replace that user (CWE-639).
func TestUserIDsAreNotReplaced(t *testing.T) {
	store := realm(t, open(t, Config{URL: redistest.Start(t, "appendonly no").URL()}), "main")
	signUp(t, store, authcore.Account{User: user("1", "ada@example.com")})
	for userID, want := range map[string]error{"1": authcore.ErrTaken, "": nil} {
		account := authcore.Account{User: user(userID, "mallory@example.com")}
		_, err := store.Login(t.Context(), authcore.LoginStep{
			Now: start, Decide: func(authcore.LoginFound) (authcore.Account, error) { return account, nil },
		})
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("Login of a new user with ID %q = error %v, want %v", userID, err, want)
		}
	}
	got, err := store.UpdateAccount(t.Context(), "1", start, func(a *authcore.Account) error {
		a.User.ID, a.User.Created = "2", start.Add(time.Hour)
		return nil
	})
	if err != nil || got.User.ID != "1" || !got.User.Created.Equal(start) {
		t.Errorf("UpdateAccount that changes the ID = %+v, error %v, want it unchanged", got.User, err)
	}
}

// A damaged item is a failure of the engine, not a result. Errors do not cite it
// (CWE-209), and a step that meets it leaves nothing behind.
func TestDamagedItems(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	db := open(t, Config{URL: server.URL()})
	ctx := t.Context()
	for i, junk := range []string{"secret", "", "{}", "[]", "null", `{"id":"secret"}`, `{"expires":5}`, "\xff", "1 2 3"} {
		store := realm(t, db, fmt.Sprint("realm", i))
		account := authcore.Account{
			User: user("u", "ada@example.com"), Sessions: []authcore.Session{session("s")},
			Identities: []authcore.Identity{{Provider: "p", Subject: "1", Created: start}},
		}
		signUp(t, store, account)
		put(t, store, record("r"))
		account.Identities[0].UserID, account.Sessions[0].UserID = "u", "u"
		key := record("r").RecordKey
		link := record("r")
		damage(t, store, authcore.Item{Record: &link}, junk)
		before := contents(t, server, store)
		login := authcore.LoginStep{Now: start, Proof: key, Decide: func(authcore.LoginFound) (authcore.Account, error) {
			return authcore.Account{User: user("new", "")}, nil
		}}
		for name, step := range map[string]func() error{
			"Record":     func() error { return second(store.Record(ctx, key, start)) },
			"TakeRecord": func() error { return second(store.TakeRecord(ctx, key, start)) },
			"Login":      func() error { return second(store.Login(ctx, login)) },
			"UpdateRecord": func() error {
				return second(store.UpdateRecord(ctx, key, start, func(*authcore.Record) error { return nil }))
			},
		} {
			if err := step(); err == nil || !errors.Is(err, authcore.ErrUnavailable) && junk != "" || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s of %q = error %v, want %v", name, junk, err, authcore.ErrUnavailable)
			}
			if !reflect.DeepEqual(before, contents(t, server, store)) {
				t.Errorf("%s of %q changed something", name, junk)
			}
		}
		if err := errors.Join(store.PutRecord(ctx, record("r"), authcore.PutOptions{Now: start}), store.DeleteRecord(ctx, key)); err != nil {
			t.Errorf("PutRecord and DeleteRecord of %q = error %v", junk, err)
		}

		damage(t, store, authcore.Item{User: &account.User}, junk)
		for name, err := range map[string]error{
			"User":          second(store.User(ctx, authcore.UserRef{ID: "u"})),
			"Account":       second(store.Account(ctx, authcore.UserRef{EmailKey: "ada@example.com"}, start)),
			"UpdateAccount": end(ctx, store, "u", ""),
		} {
			if !errors.Is(err, authcore.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s of %q = error %v, want %v", name, junk, err, authcore.ErrUnavailable)
			}
		}
		if err := store.DeleteUser(ctx, "u", authcore.Revocation{Kind: authcore.RevokeUser, ID: "u", Until: start.Add(time.Hour)}); err != nil {
			t.Errorf("DeleteUser of %q = error %v", junk, err)
		}
		signUp(t, store, account) // nothing is left that could refuse it

		server.Do(t, "set", store.key("keys"), junk)
		if _, err := store.UpdateKeys(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) { return keys, nil }); err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("UpdateKeys of %q = error %v, which cites it", junk, err)
		}
	}
}

// An index that leads to the wrong user, or to none, finds no user and refuses no
// account.
func TestIndexesThatLeadAstray(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	signUp(t, store, authcore.Account{User: user("other", "other@example.com")})
	for _, userID := range []string{"other", "absent"} {
		identity := authcore.Identity{Provider: "p", Subject: userID, Created: start}
		email := "for-" + userID + "@example.com"
		server.Do(t, "set", store.key("e:", email), userID)
		server.Do(t, "set", store.key("i:", digest(identity.Key())), userID)
		for _, ref := range []authcore.UserRef{{EmailKey: email}, {Identity: identity.Key()}} {
			if _, err := store.User(t.Context(), ref); !errors.Is(err, authcore.ErrNotFound) {
				t.Errorf("User by an index to user %q = error %v, want %v", userID, err, authcore.ErrNotFound)
			}
		}
		signUp(t, store, authcore.Account{User: user("new-"+userID, email), Identities: []authcore.Identity{identity}})
		if got, err := store.User(t.Context(), authcore.UserRef{EmailKey: email}); err != nil || got.ID != "new-"+userID {
			t.Errorf("User by the address after a login = %q, error %v, want the new user", got.ID, err)
		}
	}
	if got, err := store.User(t.Context(), authcore.UserRef{EmailKey: "other@example.com"}); err != nil || got.ID != "other" {
		t.Errorf("User by the address of the other user = %q, error %v, want other", got.ID, err)
	}
}

// contents returns all keys of a realm with their values.
func contents(t *testing.T, server *redistest.Server, store *Store) map[string]any {
	t.Helper()
	all := make(map[string]any)
	names, _ := server.Do(t, "keys", strings.ReplaceAll(store.prefix, "{", `\{`)+"*").([]any)
	for _, name := range names {
		all[fmt.Sprint(name)] = server.Do(t, "dump", name)
	}
	return all
}

func second[T any](_ T, err error) error { return err }

// Keys of another program, or of a newer version, are not touched.
func TestForeignFormats(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	db := open(t, Config{URL: server.URL()})
	for format, want := range map[string]string{
		fmt.Sprint(authcore.Format + 1): "run the newer program", "0": "another program", "-1": "another program", "x": "another program", "": "another program",
	} {
		store := realm(t, db, "main")
		server.Do(t, "hset", store.key("meta"), "format", format)
		if _, err := db.Realm(t.Context(), "main"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Realm with format %q = error %v, want %q", format, err, want)
		}
		if stored := server.Do(t, "hget", store.key("meta"), "format"); stored != format {
			t.Errorf("format after Realm = %q, want %q", stored, format)
		}
		server.Do(t, "hdel", store.key("meta"), "format")
	}
	server.Do(t, "set", "edgeauth:{taken}:meta", "text")
	if _, err := db.Realm(t.Context(), "taken"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Realm with a text for meta = error %v, want %v", err, authcore.ErrUnavailable)
	}
}

// A cursor of another history, or one that was never returned, hides nothing.
func TestForeignCursorsReturnEverything(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	store := realm(t, open(t, Config{URL: server.URL()}), "main")
	disable := func(userID string) {
		t.Helper()
		signUp(t, store, authcore.Account{User: user(userID, "")})
		_, err := store.UpdateAccount(t.Context(), userID, start, func(a *authcore.Account) error {
			a.Disable(start.Add(time.Hour))
			return nil
		})
		if err != nil {
			t.Fatalf("disabling failed: %v", err)
		}
	}
	disable("1")
	_, cursor := follow(t, store, "")
	_, history, _ := strings.Cut(cursor, "@")
	for _, foreign := range []string{
		"", "0", "1", "1@", "1@x", "2@" + history, "9007199254740993@" + history, "18446744073709551615@" + history,
		"-1@" + history, "x@" + history, " 1@" + history, "01@" + history, "1e0@" + history, "0x1@" + history, "1@" + history + "x",
		"@" + history, strings.Repeat("9", 99) + "@" + history, "1\x00@" + history,
	} {
		entries, next, err := store.RevocationsSince(t.Context(), foreign)
		if err != nil || len(entries) != 1 || next != cursor {
			t.Errorf("RevocationsSince(%q) = %v, cursor %q, error %v, want one entry", foreign, entries, next, err)
		}
	}
	if entries, _, err := store.RevocationsSince(t.Context(), cursor); err != nil || len(entries) != 0 {
		t.Errorf("RevocationsSince(the end) = %v, error %v, want none", entries, err)
	}
	// Everything is deleted and created again on the same server: the history of the
	// server remains, and the numbers begin again.
	server.Do(t, "flushall")
	store = realm(t, store.db, "main")
	disable("2")
	disable("3")
	if entries, _, err := store.RevocationsSince(t.Context(), cursor); err != nil || len(entries) != 2 {
		t.Errorf("RevocationsSince after FLUSHALL = %v, error %v, want two entries", entries, err)
	}
	for _, foreign := range []string{"x", "u", "u!", "u9999/x", "r", "rx", "rx@y", "v", "vx", "k", "e", "\x00"} {
		if _, _, err := store.Export(t.Context(), foreign, start); err != nil {
			t.Errorf("Export(%q) = error %v", foreign, err)
		}
	}
	for _, foreign := range []string{"x", "4096/", "-1/z", "5", "/z"} {
		if users, _, err := store.Users(t.Context(), authcore.UserFilter{}, foreign); err != nil || len(users) != 2 && foreign != "5" {
			t.Errorf("Users(%q) = %d users, error %v, want 2", foreign, len(users), err)
		}
	}
}

package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return origin }

// silent ignores progress.
func silent(Counts) {}

// person returns a user with an identity, a session and a record.
func person(n int) []authcore.Item {
	id := fmt.Sprint("user-", n)
	return []authcore.Item{
		{User: &authcore.User{ID: id, Email: id + "@example.com", EmailVerified: true, Roles: []string{"a"}, Created: origin}},
		{Identity: &authcore.Identity{Provider: "github", Subject: id, UserID: id, Created: origin}},
		{Session: &authcore.Session{
			ID: "session-" + id, UserID: id, Client: "web", Method: "link", Created: origin, Expires: origin.Add(time.Hour),
			UserAgent: "a\x00b", Token: authcore.SessionToken{ID: "token-" + id},
		}},
		{Record: &authcore.Record{
			RecordKey: authcore.RecordKey{Kind: "passkey", Key: id}, Owner: id, Created: origin, Data: []byte{0xff},
		}},
	}
}

func people(n int) []authcore.Item {
	var items []authcore.Item
	for i := range n {
		items = append(items, person(i)...)
	}
	return append(items,
		authcore.Item{Revocation: &authcore.Revocation{
			Kind: authcore.RevokeSession, ID: "old", Until: origin.Add(time.Hour),
		}},
		authcore.Item{Key: &authcore.SigningKey{
			ID: "key", Algorithm: "EdDSA", Private: []byte("private"), Created: origin, Signs: origin,
		}})
}

func filled(t *testing.T, items []authcore.Item) *memory.Store {
	t.Helper()
	store := memory.New()
	if n, err := store.Import(t.Context(), items); err != nil || n != len(items) {
		t.Fatalf("Import = %d, error %v, want %d", n, err, len(items))
	}
	return store
}

func TestMove(t *testing.T) {
	from, to := filled(t, people(700)), memory.New()
	var reported []int
	preview, err := Try(t.Context(), from, to, origin)
	if want := (Preview{Source: Counts{700, 700, 700, 700, 1, 1}}); err != nil || preview != want {
		t.Errorf("Try = %v, error %v, want %v", preview, err, want)
	}
	moved, err := Move(t.Context(), from, to, clock, func(read Counts) { reported = append(reported, read.Total()) })
	if err != nil || moved.Read != preview.Source || moved.Stored != 2802 {
		t.Errorf("Move = %v, error %v, want %v", moved, err, preview.Source)
	}
	if last := reported[len(reported)-1]; len(reported) < 6 || !slices.IsSorted(reported) || last != 2802 {
		t.Errorf("progress = %v, want a report for each 500 items", reported)
	}
	moved, err = Move(t.Context(), from, to, clock, silent)
	if err != nil || moved.Stored != 0 || moved.Read.Total() != 2802 {
		t.Errorf("Move again = %v, error %v, want nothing stored", moved, err)
	}
	preview, err = Try(t.Context(), from, to, origin)
	if err != nil || preview.Present != preview.Source {
		t.Errorf("Try after the move = %v, error %v, want all present", preview, err)
	}
	if preview, err = Try(t.Context(), from, nil, origin); err != nil || preview.Source.Total() != 2802 {
		t.Errorf("Try without a target = %v, error %v, want 2802 items", preview, err)
	}
}

// A move that had nothing to move must not report success.
func TestNothingToMove(t *testing.T) {
	for name, move := range map[string]func(from, to authcore.Store) error{
		"Move": func(from, to authcore.Store) error {
			_, err := Move(t.Context(), from, to, clock, silent)
			return err
		},
		"Try": func(from, to authcore.Store) error {
			_, err := Try(t.Context(), from, to, origin)
			return err
		},
	} {
		if err := move(memory.New(), memory.New()); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s of an empty realm = error %v, want %v", name, err, ErrEmpty)
		}
	}
}

func TestSelect(t *testing.T) {
	for name, test := range map[string]struct {
		present, wanted, want []string
		problem               string
	}{
		"all":           {present: []string{"b", "", "a"}, want: []string{"", "a", "b"}},
		"named":         {present: []string{"b", "", "a"}, wanted: []string{"b", "a", "b"}, want: []string{"a", "b"}},
		"the default":   {present: []string{"", "a"}, wanted: []string{""}, want: []string{""}},
		"unknown":       {present: []string{"a"}, wanted: []string{"a", "c"}, problem: `no realm "c"; name one of ["a"]`},
		"none":          {problem: "no realms"},
		"none, but one": {wanted: []string{"a"}, problem: "no realms"},
	} {
		got, err := Select(test.present, test.wanted)
		if (err != nil) != (test.problem != "") || err != nil && !strings.Contains(err.Error(), test.problem) {
			t.Errorf("Select(%s) = error %v, want %q", name, err, test.problem)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Select(%s) = %q, want %q", name, got, test.want)
		}
	}
}

// failing is a target that stops responding after some steps.
type failing struct {
	*memory.Store
	steps int
}

func (f *failing) Import(ctx context.Context, items []authcore.Item) (int, error) {
	if f.steps--; f.steps < 0 {
		return 0, authcore.ErrUnavailable
	}
	return f.Store.Import(ctx, items)
}

func TestCopyIsResumed(t *testing.T) {
	from, to := filled(t, people(700)), memory.New()
	all := 0
	for steps := 1; ; steps++ {
		_, stored, err := Copy(t.Context(), from, &failing{to, steps}, origin, silent)
		all += stored
		if err == nil {
			break
		}
		if !errors.Is(err, authcore.ErrUnavailable) || steps > 20 {
			t.Fatalf("Copy with %d steps = error %v", steps, err)
		}
	}
	if all != 2802 {
		t.Errorf("all copies stored %d items, want 2802", all)
	}
}

// repeating is a source that returns every item twice.
type repeating struct{ *memory.Store }

func (r repeating) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
	items, next, err := r.Store.Export(ctx, cursor, now)
	return append(items, items...), next, err
}

// stuck is a source whose cursor does not move.
type stuck struct{ *memory.Store }

func (s stuck) Export(ctx context.Context, _ string, now time.Time) ([]authcore.Item, string, error) {
	return s.Store.Export(ctx, "", now)
}

func TestCopyEnds(t *testing.T) {
	_, _, err := Copy(t.Context(), stuck{filled(t, people(1))}, memory.New(), origin, silent)
	if err == nil || !strings.Contains(err.Error(), "reading the source") {
		t.Errorf("Copy of a source that repeats its cursor = error %v, want one", err)
	}
}

func TestCompare(t *testing.T) {
	update := func(change func(*authcore.Account)) func(*testing.T, *memory.Store) {
		return func(t *testing.T, store *memory.Store) {
			t.Helper()
			_, err := store.UpdateAccount(t.Context(), "user-0", origin, func(a *authcore.Account) error {
				change(a)
				return nil
			})
			if err != nil {
				t.Errorf("UpdateAccount: error %v", err)
			}
		}
	}
	putRecord := func(data string) func(*testing.T, *memory.Store) {
		return func(t *testing.T, store *memory.Store) {
			t.Helper()
			record := *person(0)[3].Record
			record.Data = []byte(data)
			if err := store.PutRecord(t.Context(), record, authcore.PutOptions{Now: origin}); err != nil {
				t.Errorf("PutRecord: error %v", err)
			}
		}
	}
	until := origin.Add(time.Hour)
	for name, test := range map[string]struct {
		from, to func(t *testing.T, store *memory.Store)
		want     string
	}{
		"equal": {},
		"seen again": {to: func(t *testing.T, store *memory.Store) {
			t.Helper()
			ref := authcore.SessionRef{UserID: "user-0", ID: "session-user-0"}
			if err := store.MarkSeen(t.Context(), map[authcore.SessionRef]time.Time{ref: origin.Add(time.Minute)}); err != nil {
				t.Errorf("MarkSeen: error %v", err)
			}
		}},
		"text that an engine cannot keep": {to: update(func(a *authcore.Account) { a.User.FirstName = "\uFFFD" })},
		"a new user": {
			from: func(t *testing.T, store *memory.Store) {
				t.Helper()
				if _, err := store.Import(t.Context(), person(7)); err != nil {
					t.Errorf("Import: error %v", err)
				}
			},
			want: "1 users missing, 1 identities missing, 1 sessions missing, 1 records missing",
		},
		"a disabled user": {
			from: update(func(a *authcore.Account) { a.Disable(until) }),
			want: "2 revocations missing, 1 users different, 1 sessions only in the target, users such as user-0",
		},
		"another name": {
			from: update(func(a *authcore.Account) { a.User.FirstName = "Ada" }),
			want: "1 users different, users such as user-0",
		},
		"another role": {
			from: update(func(a *authcore.Account) { a.User.Roles = nil }),
			want: "1 users different, users such as user-0",
		},
		"a second factor": {
			from: update(func(a *authcore.Account) { a.User.Factors = []authcore.Factor{{Kind: authcore.FactorTOTP, ID: "f"}} }),
			want: "1 users different, users such as user-0",
		},
		"a passkey": {
			from: update(func(a *authcore.Account) { a.User.Passkeys = []string{"p"} }),
			want: "1 users different, users such as user-0",
		},
		"an unlinked identity": {
			from: update(func(a *authcore.Account) { a.Identities[0].State = authcore.IdentityUnlinked }),
			want: "1 identities different",
		},
		"a refreshed session": {
			from: update(func(a *authcore.Account) { a.Sessions[0].Token.ID = "new" }),
			want: "1 sessions different",
		},
		"a changed record": {from: putRecord("changed"), want: "1 records different"},
		"a deleted user": {
			from: func(t *testing.T, store *memory.Store) {
				t.Helper()
				revocation := authcore.Revocation{Kind: authcore.RevokeUser, ID: "user-0", Until: until}
				if err := store.DeleteUser(t.Context(), "user-0", revocation); err != nil {
					t.Errorf("DeleteUser: error %v", err)
				}
			},
			want: "1 revocations missing, 1 users only in the target, 1 identities only in the target, " +
				"1 sessions only in the target, 1 records only in the target, users such as user-0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := filled(t, people(2)), filled(t, people(2))
			if test.from != nil {
				test.from(t, from)
			}
			if test.to != nil {
				test.to(t, to)
			}
			snapshot, err := Take(t.Context(), repeating{from}, origin)
			if err != nil {
				t.Fatalf("Take: error %v", err)
			}
			got, err := snapshot.Compare(t.Context(), repeating{to}, origin)
			if err != nil || got.String() != test.want || got.Equal() != (test.want == "") {
				t.Errorf("Compare = %q, error %v, want %q", got, err, test.want)
			}
			if _, err := Move(t.Context(), from, to, clock, silent); (err == nil) !=
				(!strings.Contains(test.want, "different") && !strings.Contains(test.want, "only")) {
				t.Errorf("Move = error %v after a comparison of %q", err, test.want)
			}
		})
	}
}

func TestCheckKeys(t *testing.T) {
	key := func(id string, expires time.Time) authcore.SigningKey {
		return authcore.SigningKey{ID: id, Expires: expires}
	}
	with := func(keys ...authcore.SigningKey) *memory.Store {
		var items []authcore.Item
		for _, k := range keys {
			items = append(items, authcore.Item{Key: &k})
		}
		return filled(t, items)
	}
	source := with(key("a", origin.Add(time.Hour)), key("b", time.Time{}))
	for name, test := range map[string]struct {
		target *memory.Store
		want   error
	}{
		"none":            {with(), nil},
		"moved":           {with(key("a", time.Time{})), nil},
		"its own":         {with(key("c", time.Time{})), ErrForeignKeys},
		"its own, former": {with(key("b", time.Time{}), key("c", origin.Add(1))), ErrForeignKeys},
		"expired":         {with(key("c", origin)), nil},
	} {
		if err := CheckKeys(t.Context(), source, test.target, origin); !errors.Is(err, test.want) {
			t.Errorf("CheckKeys(%s) = error %v, want %v", name, err, test.want)
		}
	}
}

// A conflict names the user and a remedy, and shows no address to readers of the
// log (CWE-532).
func TestConflictsNameUsersOnly(t *testing.T) {
	for name, test := range map[string]struct {
		present []authcore.Item
		want    string
	}{
		"address": {[]authcore.Item{{User: &authcore.User{
			ID: "other", Email: "user-1@example.com", EmailVerified: true, Created: origin,
		}}}, "user user-1: the e-mail address belongs to another user"},
		"identity": {[]authcore.Item{
			{User: &authcore.User{ID: "other", Created: origin}},
			{Identity: &authcore.Identity{Provider: "github", Subject: "user-1", UserID: "other", Created: origin}},
		}, "user user-1: the identity at github belongs to another user"},
	} {
		to := filled(t, test.present)
		_, _, err := Copy(t.Context(), filled(t, people(3)), to, origin, silent)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "@") {
			t.Errorf("Copy with a taken %s = error %v, want %q", name, err, test.want)
		}
	}
}

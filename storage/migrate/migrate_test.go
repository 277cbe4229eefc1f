package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
)

var origin = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// silent is for copies whose progress nobody watches.
func silent(Counts) {}

// person returns a user with an identity and a session.
func person(n int) []authcore.Record {
	id := fmt.Sprint("user-", n)
	return []authcore.Record{
		{User: &authcore.User{ID: id, Email: id + "@example.com", EmailVerified: true, Created: origin}},
		{Identity: &authcore.Identity{Provider: "github", Subject: id, UserID: id, Created: origin}},
		{Session: &authcore.Session{
			ID: "session-" + id, UserID: id, TokenID: "token-" + id, Client: "web", Method: "link",
			Created: origin, Expires: origin.Add(time.Hour), UserAgent: "a\x00b",
		}},
	}
}

func people(n int) []authcore.Record {
	var records []authcore.Record
	for i := range n {
		records = append(records, person(i)...)
	}
	return append(records,
		authcore.Record{Revocation: &authcore.Revocation{
			Kind: authcore.RevokeToken, ID: "old", Until: origin.Add(time.Hour),
		}},
		authcore.Record{Key: &authcore.SigningKey{
			ID: "key", Algorithm: "EdDSA", Private: []byte("private"), Created: origin, Signs: origin,
		}})
}

func filled(t *testing.T, records []authcore.Record) *memory.Store {
	t.Helper()
	store := memory.New()
	if n, err := store.Import(t.Context(), records); err != nil || n != len(records) {
		t.Fatalf("Import: %d, error %v", n, err)
	}
	return store
}

func TestCopy(t *testing.T) {
	from, to := filled(t, people(700)), memory.New()
	var told []int
	read, stored, err := Copy(t.Context(), from, to, origin, func(read Counts) { told = append(told, read.Total()) })
	if err != nil || read != (Counts{700, 700, 700, 1, 1}) || stored != read.Total() {
		t.Errorf("read %v, stored %d, error %v", read, stored, err)
	}
	if fmt.Sprint(told) != "[500 1000 1500 2000 2102]" {
		t.Errorf("progress: %v", told)
	}
	snapshot, err := Take(t.Context(), from, origin)
	if err != nil || snapshot.Counts() != read {
		t.Errorf("snapshot of %s, error %v", snapshot.Counts(), err)
	}
	difference, err := snapshot.Compare(t.Context(), to, origin)
	if err != nil || !difference.Equal() || difference.Same != read || difference.String() != "" {
		t.Errorf("compared: %+v, error %v", difference, err)
	}
	if _, stored, err = Copy(t.Context(), from, to, origin, silent); err != nil || stored != 0 {
		t.Errorf("once more: stored %d, error %v", stored, err)
	}
}

// failing is a target that stops answering after some steps.
type failing struct {
	*memory.Store
	steps int
}

func (f *failing) Import(ctx context.Context, records []authcore.Record) (int, error) {
	if f.steps--; f.steps < 0 {
		return 0, authcore.ErrUnavailable
	}
	return f.Store.Import(ctx, records)
}

func TestCopyGoesOn(t *testing.T) {
	from, to := filled(t, people(700)), memory.New()
	all := 0
	for steps := 1; ; steps++ {
		_, stored, err := Copy(t.Context(), from, &failing{to, steps}, origin, silent)
		all += stored
		if err == nil {
			break
		}
		if !errors.Is(err, authcore.ErrUnavailable) || steps > 10 {
			t.Fatalf("after %d steps: error %v", steps, err)
		}
	}
	if all != 2102 {
		t.Errorf("%d records were stored in all, want 2102", all)
	}
}

// repeating is a source that returns every record twice.
type repeating struct{ *memory.Store }

func (r repeating) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Record, string, error) {
	records, next, err := r.Store.Export(ctx, cursor, now)
	return append(records, records...), next, err
}

// standing is a source whose cursor does not move.
type standing struct{ *memory.Store }

func (s standing) Export(ctx context.Context, _ string, now time.Time) ([]authcore.Record, string, error) {
	return s.Store.Export(ctx, "", now)
}

func TestCopyComesToAnEnd(t *testing.T) {
	_, _, err := Copy(t.Context(), standing{filled(t, people(1))}, memory.New(), origin, silent)
	if err == nil || !strings.Contains(err.Error(), "reading the source") {
		t.Errorf("error %v", err)
	}
}

func TestCompare(t *testing.T) {
	update := func(t *testing.T, store *memory.Store, change func(*authcore.User)) {
		t.Helper()
		_, err := store.UpdateUser(t.Context(), "user-0", func(u *authcore.User) error {
			change(u)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		from, to func(t *testing.T, store *memory.Store)
		want     string
	}{
		"the same": {},
		"seen again": {to: func(t *testing.T, store *memory.Store) {
			t.Helper()
			if err := store.MarkSeen(t.Context(), map[string]time.Time{"session-user-0": origin.Add(time.Minute)}); err != nil {
				t.Error(err)
			}
		}},
		"text that an engine cannot keep": {to: func(t *testing.T, store *memory.Store) {
			t.Helper()
			update(t, store, func(u *authcore.User) { u.FirstName = "\uFFFD" })
		}},
		"a new user": {
			from: func(t *testing.T, store *memory.Store) {
				t.Helper()
				if _, err := store.Import(t.Context(), person(7)); err != nil {
					t.Error(err)
				}
			},
			want: "1 users missing, 1 identities missing, 1 sessions missing",
		},
		"a disabled user": {
			from: func(t *testing.T, store *memory.Store) {
				t.Helper()
				if _, err := store.SetDisabled(t.Context(), "user-0", true, origin.Add(time.Hour), origin); err != nil {
					t.Error(err)
				}
			},
			want: "2 revocations missing, 1 users different, 1 sessions only in the target, users such as user-0",
		},
		"another name": {
			from: func(t *testing.T, store *memory.Store) {
				t.Helper()
				update(t, store, func(u *authcore.User) { u.FirstName = "Ada" })
			},
			want: "1 users different, users such as user-0",
		},
		"a renewed session": {
			from: func(t *testing.T, store *memory.Store) {
				t.Helper()
				_, err := store.RenewSession(
					t.Context(), "session-user-0", "token-user-0", "new", origin.Add(2*time.Hour), origin)
				if err != nil {
					t.Error(err)
				}
			},
			want: "1 revocations missing, 1 sessions different",
		},
		"a deleted user": {
			from: func(t *testing.T, store *memory.Store) {
				t.Helper()
				if err := store.DeleteUser(t.Context(), "user-0", origin.Add(time.Hour), origin); err != nil {
					t.Error(err)
				}
			},
			want: "2 revocations missing, 1 users only in the target, 1 identities only in the target, " +
				"1 sessions only in the target, users such as user-0",
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
				t.Fatal(err)
			}
			got, err := snapshot.Compare(t.Context(), repeating{to}, origin)
			if err != nil || got.String() != test.want || got.Equal() != (test.want == "") {
				t.Errorf("got %q, error %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestCheckKeys(t *testing.T) {
	key := func(id string, expires time.Time) authcore.SigningKey {
		return authcore.SigningKey{ID: id, Expires: expires}
	}
	with := func(keys ...authcore.SigningKey) *memory.Store {
		var records []authcore.Record
		for _, k := range keys {
			records = append(records, authcore.Record{Key: &k})
		}
		return filled(t, records)
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
		"ended":           {with(key("c", origin)), nil},
	} {
		if err := CheckKeys(t.Context(), source, test.target, origin); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
	}
}

// A conflict names the user and says what to do, and shows nobody's address to
// whoever reads the log of the terminal (CWE-532).
func TestConflictsNameUsersOnly(t *testing.T) {
	for name, test := range map[string]struct {
		there []authcore.Record
		want  string
	}{
		"address": {[]authcore.Record{{User: &authcore.User{
			ID: "other", Email: "user-1@example.com", EmailVerified: true, Created: origin,
		}}}, "user user-1: the e-mail address belongs to another user"},
		"identity": {[]authcore.Record{
			{User: &authcore.User{ID: "other", Created: origin}},
			{Identity: &authcore.Identity{Provider: "github", Subject: "user-1", UserID: "other", Created: origin}},
		}, "user user-1: the account at github belongs to another user"},
	} {
		to := filled(t, test.there)
		_, _, err := Copy(t.Context(), filled(t, people(3)), to, origin, silent)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

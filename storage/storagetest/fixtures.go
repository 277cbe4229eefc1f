package storagetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// crowd is how many callers race where one may win.
const crowd = 100

// start is the moment from which all times of the suite are counted.
var start = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // never changed

// at returns the moment that lies d after start.
func at(d time.Duration) time.Time { return start.Add(d) }

// uuid returns a random UUID (RFC 9562, section 5.4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newUser(email string, verified bool) authcore.User {
	return authcore.User{
		ID:            uuid(),
		Email:         email,
		EmailVerified: verified,
		FirstName:     "Ada",
		LastName:      "Lovelace",
		AvatarURL:     "https://img.example/ada.png",
		Nickname:      "ada",
		Created:       start,
	}
}

func newIdentity(subject, userID string) authcore.Identity {
	return authcore.Identity{
		Provider: "github",
		Subject:  subject,
		UserID:   userID,
		Email:    "ada@example.com",
		Created:  start,
	}
}

func secretOf(text string) authcore.Digest { return authcore.DigestOf("storagetest", text) }

func newLink(email, secret, code string) authcore.Link {
	return authcore.Link{
		Secret:   secretOf(secret),
		Code:     secretOf(code),
		Email:    email,
		EmailKey: email,
		Created:  start,
		Expires:  at(15 * time.Minute),
	}
}

func newFlow(state string) authcore.Flow {
	return authcore.Flow{
		State:       secretOf(state),
		Client:      "web",
		Provider:    "github",
		RedirectURI: "https://frontend.example/callback",
		Nonce:       "nonce-" + state,
		Verifier:    "verifier-" + state,
		Expires:     at(10 * time.Minute),
	}
}

func newSession(userID string, created time.Duration) authcore.Session {
	return authcore.Session{
		ID:        uuid(),
		UserID:    userID,
		TokenID:   uuid(),
		Client:    "web",
		Method:    "link",
		Created:   at(created),
		Expires:   at(created + 14*24*time.Hour),
		LastSeen:  at(created),
		IP:        "2001:db8::1",
		UserAgent: "suite/1.0",
	}
}

func newKey(id string) authcore.SigningKey {
	return authcore.SigningKey{
		ID:        id,
		Algorithm: "EdDSA",
		Private:   []byte("private part of " + id),
		Created:   start,
		Signs:     at(time.Hour),
		Expires:   at(24 * time.Hour),
	}
}

// addUser stores a new user with a verified address.
func addUser(t *testing.T, store authcore.Store, email string) authcore.User {
	t.Helper()
	user, created, err := store.EnsureUser(t.Context(), newUser(email, true))
	if err != nil || !created {
		t.Fatalf("EnsureUser of a new address: created %v, error %v", created, err)
	}
	return user
}

// addSession stores a new session of an active user.
func addSession(t *testing.T, store authcore.Store, userID string, created time.Duration) authcore.Session {
	t.Helper()
	session := newSession(userID, created)
	if err := store.PutSession(t.Context(), session); err != nil {
		t.Fatalf("PutSession of an active user: %v", err)
	}
	return session
}

func addLink(t *testing.T, store authcore.Store, link authcore.Link) {
	t.Helper()
	if err := store.PutLink(t.Context(), link); err != nil {
		t.Fatalf("PutLink: %v", err)
	}
}

// wantErr checks the class of an error; nil asks for success.
func wantErr(t *testing.T, step string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", step, err, want)
	}
}

// wantSame compares two values; times count as equal when they are the same
// instant.
func wantSame[T any](t *testing.T, step string, got, want T) {
	t.Helper()
	if g, w := plain(got), plain(want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", step, g, w)
	}
}

// plain writes a value as text with its times in UTC.
func plain(value any) string {
	switch v := value.(type) {
	case authcore.User:
		v.Created = v.Created.UTC()
		return fmt.Sprintf("%+v", v)
	case authcore.Identity:
		v.Created = v.Created.UTC()
		return fmt.Sprintf("%+v", v)
	case authcore.Revocation:
		v.Until = v.Until.UTC()
		return fmt.Sprintf("%+v", v)
	case authcore.Link:
		v.Created, v.Expires = v.Created.UTC(), v.Expires.UTC()
		return fmt.Sprintf("%+v", v)
	case authcore.Flow:
		v.Expires = v.Expires.UTC()
		return fmt.Sprintf("%+v", v)
	case authcore.Session:
		v.Created, v.Expires, v.LastSeen = v.Created.UTC(), v.Expires.UTC(), v.LastSeen.UTC()
		return fmt.Sprintf("%+v", v)
	case []authcore.Session:
		return plainAll(v)
	case authcore.SigningKey:
		v.Created, v.Signs, v.Expires = v.Created.UTC(), v.Signs.UTC(), v.Expires.UTC()
		return fmt.Sprintf("%+v", v)
	case []authcore.SigningKey:
		return plainAll(v)
	default:
		return fmt.Sprintf("%+v", v)
	}
}

func plainAll[T any](values []T) string {
	lines := make([]string, 0, len(values))
	for _, value := range values {
		lines = append(lines, plain(value))
	}
	return fmt.Sprintf("%q", lines)
}

// together makes n calls at the same moment and returns when all have ended.
func together(n int, call func(i int)) {
	var calls sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		calls.Go(func() {
			<-begin
			call(i)
		})
	}
	close(begin)
	calls.Wait()
}

// winners is together for calls of which one may succeed; it returns how many
// did. Every other one must fail with the given error.
func winners(t *testing.T, loser error, call func(i int) error) int {
	t.Helper()
	var mu sync.Mutex
	won := 0
	together(crowd, func(i int) {
		err := call(i)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			won++
		} else if !errors.Is(err, loser) {
			t.Errorf("a caller that lost got %v, want %v", err, loser)
		}
	})
	return won
}

// sessionIDs returns the ids of sessions in their order.
func sessionIDs(sessions []authcore.Session) []string {
	ids := make([]string, 0, len(sessions))
	for _, session := range sessions {
		ids = append(ids, session.ID)
	}
	return ids
}

// wantSessions checks which sessions of a user are live, newest first.
func wantSessions(
	t *testing.T, store authcore.Store, userID string, now time.Time, want ...authcore.Session,
) {
	t.Helper()
	got, err := store.SessionsOf(t.Context(), userID, now)
	wantErr(t, "SessionsOf", err, nil)
	if !slices.Equal(sessionIDs(got), sessionIDs(want)) {
		t.Errorf("live sessions:\n got %s\nwant %s", plain(got), plain(want))
	}
}

package capacity

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"time"

	"github.com/google/uuid"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// batch is the number of items that are written together.
const batch = 500

// Target is an engine that is measured.
type Target struct {
	Store func(context.Context) (authcore.Store, error)
	// Size returns the bytes in use.
	Size func(context.Context) (int64, error)
}

// Measure writes n items of each kind to an empty engine and returns their bytes. The
// items are those of a typical user: a login by link from a browser.
func Measure(ctx context.Context, target Target, n int) (e Engine, err error) {
	if _, err := target.Store(ctx); err != nil {
		return e, err
	}
	now := time.Now().UTC().Round(time.Second)
	users := make([]string, n)
	for i := range users {
		users[i] = newID()
	}
	for _, kind := range []struct {
		bytes *float64
		item  func(i int) authcore.Item
	}{
		{&e.User, func(i int) authcore.Item { return newUser(users[i], now) }},
		{&e.Identity, func(i int) authcore.Item { return newIdentity(users[i], now) }},
		{&e.Session, func(i int) authcore.Item { return newSession(users[i], now) }},
		{&e.Record, func(i int) authcore.Item { return newRecord(users[i], now) }},
		{&e.Revocation, func(int) authcore.Item { return authcore.Item{Revocation: newRevocation(now)} }},
	} {
		before, err := target.Size(ctx)
		if err != nil {
			return e, err
		}
		for first := 0; first < n; first += batch {
			var items []authcore.Item
			for i := first; i < min(n, first+batch); i++ {
				items = append(items, kind.item(i))
			}
			store, err := target.Store(ctx)
			if err != nil {
				return e, err
			}
			if _, err := store.Import(ctx, items); err != nil {
				return e, fmt.Errorf("import: %w", err)
			}
		}
		after, err := target.Size(ctx)
		if err != nil {
			return e, err
		}
		*kind.bytes = float64(after-before) / float64(n)
	}
	return e, nil
}

// MeasureRevocations returns the memory of a revocation at a node and its part of the
// feed, in bytes, without the signature.
func MeasureRevocations(n int) (memory, feed float64, err error) {
	now := time.Now().UTC().Round(time.Second)
	before := heap()
	revocations := gate.NewRevocations()
	for range n {
		revocations.Apply(*newRevocation(now))
	}
	memory = float64(heap()-before) / float64(n)
	payloads, err := revocations.FeedPayloads(gate.FeedOptions{Issuer: "edgeauth", Issued: now, Expires: now.Add(time.Hour)})
	if err != nil {
		return 0, 0, err
	}
	for payload := range payloads {
		feed += float64(len(payload)) * 4 / 3 / float64(n) // base64 of the JWS
	}
	runtime.KeepAlive(revocations)
	return memory, feed, nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func newUser(id string, now time.Time) authcore.Item {
	return authcore.Item{User: &authcore.User{
		ID: id, Email: "person." + id[:13] + "@example.com", EmailVerified: true,
		FirstName: "Alexandra", LastName: "Lindqvist", Created: now, LastLogin: now,
	}}
}

func newIdentity(user string, now time.Time) authcore.Item {
	return authcore.Item{Identity: &authcore.Identity{
		Provider: "google-oauth2", Issuer: "https://accounts.google.com", Subject: newID()[:21], UserID: user, PublicID: newID(),
		Email: "person." + user[:13] + "@example.com", EmailVerified: true, Created: now,
	}}
}

func newSession(user string, now time.Time) authcore.Item {
	return authcore.Item{Session: &authcore.Session{
		ID: newID(), UserID: user, Client: "web", Method: "link", AMR: []string{"mail"}, ACR: "1",
		Created: now, Expires: now.Add(14 * 24 * time.Hour), LastSeen: now, IP: "203.0.113.77",
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		Token:     authcore.SessionToken{ID: newID(), Issued: now, Expires: now.Add(14 * 24 * time.Hour)},
	}}
}

func newRecord(user string, now time.Time) authcore.Item {
	return authcore.Item{Record: &authcore.Record{
		RecordKey: authcore.RecordKey{Kind: "link", Key: rand.Text() + rand.Text()}, Owner: "person." + user[:13] + "@example.com",
		Created: now, Expires: now.Add(24 * time.Hour), Data: []byte(rand.Text() + rand.Text() + rand.Text() + rand.Text() + rand.Text()),
	}}
}

func newRevocation(now time.Time) *authcore.Revocation {
	return &authcore.Revocation{Kind: authcore.RevokeSession, ID: newID(), Until: now.Add(14 * 24 * time.Hour)}
}

// newID returns a random UUID.
func newID() string { return uuid.NewString() }

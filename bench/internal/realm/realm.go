package realm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

// The one client of a prepared realm, as the Caddyfile of a gate has to name it.
const (
	ClientName = "web"
	ClientKey  = "benchmark-client-key"
	EmailLink  = "https://frontend.app/auth/link/" + authcore.LinkPlaceholder
)

// defaultRealm is the name of the default realm in a file.
const defaultRealm = "_default"

const (
	lifetime = 14 * 24 * time.Hour
	// writers is how many steps wait for a commit together.
	writers = 1000
)

// Realm is a prepared file.
type Realm struct {
	// Path of the file, which is closed.
	Path string
	// Algorithm of its signing key.
	Algorithm string

	now    time.Time
	signer signer
}

// Spec says what a realm holds.
type Spec struct {
	Algorithm string
	// Sessions is the number of live sessions.
	Sessions int
	// Revoked has every session renewed once, which revokes its first token.
	Revoked bool
}

// Prepare makes a file.
func Prepare(ctx context.Context, path string, spec Spec) (*Realm, error) {
	db, err := bolt.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Realm{Path: path, Algorithm: spec.Algorithm, now: time.Now().UTC().Truncate(time.Second)}
	err = r.fill(ctx, db, spec)
	return r, errors.Join(err, db.Close())
}

func (r *Realm) fill(ctx context.Context, db *bolt.DB, spec Spec) error {
	store, err := db.Realm(ctx, defaultRealm)
	if err != nil {
		return err
	}
	// The service makes the key, as it does at the first start.
	if _, err := NewService(ctx, spec.Algorithm, store); err != nil {
		return err
	}
	if r.signer, err = loadSigner(ctx, store); err != nil {
		return err
	}
	users := (spec.Sessions + sessionsPerUser - 1) / sessionsPerUser
	if err := parallel(ctx, writers, users, func(i int) error { return r.putUser(ctx, store, i) }); err != nil {
		return fmt.Errorf("users: %w", err)
	}
	if err := parallel(ctx, writers, spec.Sessions, func(i int) error { return r.putSession(ctx, store, i, spec.Revoked) }); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	if !spec.Revoked {
		return nil
	}
	return parallel(ctx, writers, spec.Sessions, func(i int) error {
		_, err := store.RenewSession(ctx, id(sessionKind, i), id(oldTokenKind, i), id(tokenKind, i), r.now.Add(lifetime), r.now)
		return err
	})
}

func (r *Realm) putUser(ctx context.Context, store authcore.Store, i int) error {
	_, _, err := store.EnsureUser(ctx, authcore.User{
		ID: id(userKind, i), Email: email(i * sessionsPerUser), EmailVerified: true,
		FirstName: "Ann", LastName: "Example", Created: r.now,
	})
	return err
}

func (r *Realm) putSession(ctx context.Context, store authcore.Store, i int, old bool) error {
	token := tokenKind
	if old {
		token = oldTokenKind
	}
	return store.PutSession(ctx, authcore.Session{
		ID: id(sessionKind, i), UserID: userID(i), TokenID: id(token, i),
		Client: ClientName, Method: authcore.MethodLink,
		Created: r.now, LastSeen: r.now, Expires: r.now.Add(lifetime),
		IP: "192.0.2.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	})
}

// NewService makes the service of a realm.
func NewService(ctx context.Context, algorithm string, store authcore.Store) (*authcore.Service, error) {
	return authcore.New(ctx, authcore.Config{
		Algorithm: algorithm, EmailLink: EmailLink, DebugLinks: true, Store: store,
		Clients: []authcore.Client{{Name: ClientName, Key: ClientKey}},
	})
}

// parallel calls work for 0 to n-1, roughly in order, and returns the first
// error.
func parallel(ctx context.Context, workers, n int, work func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var running sync.WaitGroup
	for range min(workers, n) {
		running.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := work(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// cores is for work that only computes.
func cores() int { return runtime.GOMAXPROCS(0) }

package bolt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// victim is one of several loops of a process that waits to be killed.
type victim struct {
	store  *Store
	random *rand.Rand
	name   string
	users  []string
}

// runVictim writes to the file until it is killed, and says on the standard
// output what was acknowledged, and, before it takes something away, that it is
// going to.
func runVictim(path, seedText string) error {
	seed, err := strconv.ParseUint(seedText, 10, 64)
	if err != nil {
		return err
	}
	db, err := Open(path)
	if err != nil {
		return err
	}
	ctx := context.Background()
	store, err := db.Realm(ctx, "main")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	var loops sync.WaitGroup
	for i := range uint64(8) {
		loops.Go(func() {
			v := &victim{
				store:  store,
				random: rand.New(rand.NewPCG(seed, i)),
				name:   fmt.Sprintf("%d-%d", seed, i),
			}
			for n := 1; ; n++ {
				if err := v.act(ctx, n); err != nil {
					select {
					case failed <- err:
					default:
					}
					return
				}
			}
		})
	}
	return <-failed
}

// say writes one line, with one write, which a pipe keeps whole.
func say(words ...any) { _, _ = fmt.Fprintln(os.Stdout, words...) }

func (v *victim) act(ctx context.Context, n int) error {
	switch {
	case len(v.users) == 0 || v.random.IntN(10) == 0:
		return v.signUp(ctx, n)
	case v.random.IntN(10) == 0:
		return v.rotate(ctx)
	case v.random.IntN(2) == 0:
		return v.login(ctx, n)
	default:
		return v.useLink(ctx, n)
	}
}

func (v *victim) signUp(ctx context.Context, n int) error {
	id := fmt.Sprintf("u-%s-%d", v.name, n)
	email := id + "@example.com"
	if _, _, err := v.store.EnsureUser(ctx, user(id, email)); err != nil {
		return err
	}
	say("user", email, id)
	v.users = append(v.users, id)
	return nil
}

func (v *victim) login(ctx context.Context, n int) error {
	userID := v.users[v.random.IntN(len(v.users))]
	id := fmt.Sprintf("s-%s-%d", v.name, n)
	if err := v.store.PutSession(ctx, session(id, userID)); err != nil {
		return err
	}
	say("session", id, userID)
	if v.random.IntN(2) == 0 {
		return nil
	}
	say("ending", id)
	_, err := v.store.EndSessions(ctx, userID, func(s authcore.Session) bool { return s.ID == id }, origin)
	if err == nil {
		say("ended", id)
	}
	return err
}

func (v *victim) useLink(ctx context.Context, n int) error {
	secret := fmt.Sprintf("l-%s-%d", v.name, n)
	link := authcore.Link{
		Secret: authcore.DigestOf("link", secret), Code: authcore.DigestOf("code", secret),
		EmailKey: secret + "@example.com", Created: origin, Expires: origin.Add(time.Hour),
	}
	if err := v.store.PutLink(ctx, link); err != nil {
		return err
	}
	say("link", secret)
	for range v.random.IntN(4) {
		_, err := v.store.TakeCode(ctx, link.EmailKey, authcore.Digest{}, origin)
		if !errors.Is(err, authcore.ErrNotFound) {
			return fmt.Errorf("wrong guess: %w", err)
		}
		say("guess", secret)
	}
	if v.random.IntN(2) == 0 {
		return nil
	}
	say("taking", secret)
	var err error
	if v.random.IntN(2) == 0 {
		_, err = v.store.TakeLink(ctx, link.Secret, origin)
	} else {
		_, err = v.store.TakeCode(ctx, link.EmailKey, link.Code, origin)
	}
	if err == nil {
		say("taken", secret)
	}
	return err
}

// rotate replaces the key by the one with the next number.
func (v *victim) rotate(ctx context.Context) error {
	keys, err := v.store.UpdateKeys(ctx, func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		next := 1
		if len(keys) > 0 {
			next = number(keys[0].ID) + 1
		}
		return []authcore.SigningKey{{ID: strconv.Itoa(next), Created: origin}}, nil
	})
	if err == nil {
		say("keys", keys[0].ID)
	}
	return err
}

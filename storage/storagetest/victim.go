package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// victim is one of several loops of a process that waits to be killed.
type victim struct {
	store  authcore.Store
	out    io.Writer
	random *rand.Rand
	name   string
	users  []string
}

// RunVictim writes to the store in several loops until one of them fails, most
// likely because the store or this process was killed. It says in lines what was
// acknowledged, and, before it takes something away, that it is going to. A Journal
// reads these lines. The seed makes the names of things, and may be used once for a
// store.
func RunVictim(ctx context.Context, store authcore.Store, seed uint64, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops sync.WaitGroup
	for i := range uint64(8) {
		loops.Go(func() {
			v := &victim{
				store:  store,
				out:    out,
				random: rand.New(rand.NewPCG(seed, i)),
				name:   fmt.Sprintf("%d-%d", seed, i),
			}
			for n := 1; ctx.Err() == nil; n++ {
				if err := v.act(ctx, n); err != nil {
					cancel(err)
				}
			}
		})
	}
	loops.Wait()
	return context.Cause(ctx)
}

// say writes one line, with one write, which a pipe keeps whole.
func (v *victim) say(words ...any) { _, _ = fmt.Fprintln(v.out, words...) }

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
	if _, _, err := v.store.EnsureUser(ctx, authcore.User{ID: id, Email: email, EmailVerified: true, Created: start}); err != nil {
		return err
	}
	v.say("user", email, id)
	v.users = append(v.users, id)
	return nil
}

func (v *victim) login(ctx context.Context, n int) error {
	userID := v.users[v.random.IntN(len(v.users))]
	id := fmt.Sprintf("s-%s-%d", v.name, n)
	if err := v.store.PutSession(ctx, authcore.Session{
		ID: id, UserID: userID, TokenID: "t-" + id, Created: start, Expires: at(time.Hour),
	}); err != nil {
		return err
	}
	v.say("session", id, userID)
	if v.random.IntN(2) == 0 {
		return nil
	}
	v.say("ending", id)
	_, err := v.store.EndSessions(ctx, userID, func(s authcore.Session) bool { return s.ID == id }, start)
	if err == nil {
		v.say("ended", id)
	}
	return err
}

func (v *victim) useLink(ctx context.Context, n int) error {
	secret := fmt.Sprintf("l-%s-%d", v.name, n)
	link := authcore.Link{
		Secret: authcore.DigestOf("link", secret), Code: authcore.DigestOf("code", secret),
		EmailKey: secret + "@example.com", Created: start, Expires: at(time.Hour),
	}
	if err := v.store.PutLink(ctx, link); err != nil {
		return err
	}
	v.say("link", secret)
	for range v.random.IntN(4) {
		_, err := v.store.TakeCode(ctx, link.EmailKey, authcore.Digest{}, start)
		if !errors.Is(err, authcore.ErrNotFound) {
			return fmt.Errorf("wrong guess: %w", err)
		}
		v.say("guess", secret)
	}
	if v.random.IntN(2) == 0 {
		return nil
	}
	v.say("taking", secret)
	var err error
	if v.random.IntN(2) == 0 {
		_, err = v.store.TakeLink(ctx, link.Secret, start)
	} else {
		_, err = v.store.TakeCode(ctx, link.EmailKey, link.Code, start)
	}
	if err == nil {
		v.say("taken", secret)
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
		return []authcore.SigningKey{{ID: strconv.Itoa(next), Created: start}}, nil
	})
	if err == nil {
		v.say("keys", keys[0].ID)
	}
	return err
}

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
// likely because the store or this process was killed. It reports acknowledged
// steps in lines, and steps that take something away before as well. A [Journal]
// reads these lines. The seed makes the names of items; it may be used once for a
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

// report writes one line, with one write, which a pipe keeps whole.
func (v *victim) report(words ...any) { _, _ = fmt.Fprintln(v.out, words...) }

func (v *victim) act(ctx context.Context, n int) error {
	switch {
	case len(v.users) == 0 || v.random.IntN(10) == 0:
		return v.signUp(ctx, n)
	case v.random.IntN(10) == 0:
		return v.rotate(ctx)
	case v.random.IntN(2) == 0:
		return v.endSession(ctx, n)
	default:
		return v.useLink(ctx, n)
	}
}

// signUp makes a user with an address, an identity and a session in one step.
func (v *victim) signUp(ctx context.Context, n int) error {
	name := fmt.Sprintf("u-%s-%d", v.name, n)
	account := stepAccount(name)
	_, err := v.store.Login(ctx, authcore.LoginStep{Now: start, Decide: storing(account)})
	if err != nil {
		return err
	}
	v.report("user", account.User.Email, account.User.ID)
	v.report("session", account.Sessions[0].ID, account.User.ID)
	v.users = append(v.users, account.User.ID)
	return nil
}

func (v *victim) endSession(ctx context.Context, n int) error {
	userID := v.users[v.random.IntN(len(v.users))]
	id := uuidOf(fmt.Sprintf("s-%s-%d", v.name, n))
	_, err := v.store.UpdateAccount(ctx, userID, start, func(a *authcore.Account) error {
		a.Start(authcore.Session{ID: id, Created: start, Expires: at(time.Hour)}, 0)
		return nil
	})
	if err != nil {
		return err
	}
	v.report("session", id, userID)
	if v.random.IntN(4) == 0 {
		return nil
	}
	v.report("ending", id)
	_, err = v.store.UpdateAccount(ctx, userID, start, func(a *authcore.Account) error {
		a.EndSessions(func(s authcore.Session) bool { return s.ID == id })
		return nil
	})
	if err == nil {
		v.report("ended", id)
	}
	return err
}

// useLink stores a link, enters wrong codes, and logs in with it.
func (v *victim) useLink(ctx context.Context, n int) error {
	key := fmt.Sprintf("l-%s-%d", v.name, n)
	userID := v.users[v.random.IntN(len(v.users))]
	link := StepRecord(key)
	link.Data = nil
	if err := v.store.PutRecord(ctx, link, authcore.PutOptions{Now: start, Keep: 3}); err != nil {
		return err
	}
	v.report("link", key)
	for range v.random.IntN(3) {
		_, err := v.store.Login(ctx, authcore.LoginStep{
			Now: start, Proof: link.RecordKey,
			Decide: func(found authcore.LoginFound) (authcore.Account, error) {
				found.Proof.Data = append(found.Proof.Data, '1')
				return authcore.Account{}, authcore.ErrProofFailed
			},
		})
		if !errors.Is(err, authcore.ErrProofFailed) {
			return fmt.Errorf("wrong guess: %w", err)
		}
		v.report("guess", key)
	}
	if v.random.IntN(2) == 0 {
		return nil
	}
	id := uuidOf("session of " + key)
	v.report("taking", key)
	_, err := v.store.Login(ctx, authcore.LoginStep{
		Now: start, Proof: link.RecordKey, Refs: []authcore.UserRef{byID(userID)},
		Decide: func(found authcore.LoginFound) (authcore.Account, error) {
			account := found.Accounts[0]
			account.Start(authcore.Session{ID: id, Created: start, Expires: at(time.Hour)}, 0)
			return account, nil
		},
	})
	if err == nil {
		v.report("taken", key)
		v.report("session", id, userID)
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
		v.report("keys", keys[0].ID)
	}
	return err
}

package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// victim is one of several loops of a process that waits to be killed.
type victim struct {
	store  authcore.Store
	out    io.Writer
	random *rand.Rand
}

// RunVictim writes to the store in several loops until one of them fails, most
// likely because the store or this process was killed. It reports acknowledged
// steps in lines, and some steps before they begin. A [Journal] reads these lines.
// The seed makes the names of items; it may be used once for a store.
func RunVictim(ctx context.Context, store authcore.Store, seed uint64, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops sync.WaitGroup
	for i := range uint64(8) {
		loops.Go(func() {
			v := &victim{store: store, out: out, random: rand.New(rand.NewPCG(seed, i))}
			for n := 1; ctx.Err() == nil; n++ {
				if err := v.act(ctx, fmt.Sprintf("%d-%d-%d", seed, i, n)); err != nil {
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

// act stores a link, enters wrong codes, signs up with the link, and logs out. It
// stops after some of that.
func (v *victim) act(ctx context.Context, name string) error {
	if v.random.IntN(5) == 0 {
		return v.rotate(ctx)
	}
	link, account := StepRecord(name), stepAccount(name)
	link.Data = nil
	if err := v.store.PutRecord(ctx, link, authcore.PutOptions{Now: start, Keep: 3}); err != nil {
		return err
	}
	v.report("link", name)
	for range v.random.IntN(3) {
		err := drop(v.store.Login(ctx, authcore.LoginStep{
			Now: start, Proof: link.RecordKey,
			Decide: func(found authcore.LoginFound) (authcore.Account, error) {
				found.Proof.Data = append(found.Proof.Data, '1')
				return authcore.Account{}, authcore.ErrProofFailed
			},
		}))
		if !errors.Is(err, authcore.ErrProofFailed) {
			return fmt.Errorf("wrong guess: %w", err)
		}
		v.report("guess", name)
	}
	if v.random.IntN(4) == 0 {
		return nil
	}
	v.report("login", name)
	step := authcore.LoginStep{Now: start, Proof: link.RecordKey, Decide: storing(account)}
	if err := drop(v.store.Login(ctx, step)); err != nil {
		return err
	}
	v.report("in", name)
	if v.random.IntN(2) == 0 {
		return nil
	}
	v.report("logout", name)
	err := drop(v.store.UpdateAccount(ctx, account.User.ID, start, func(a *authcore.Account) error {
		a.EndSessions(func(authcore.Session) bool { return true })
		return nil
	}))
	if err == nil {
		v.report("out", name)
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

// number parses a key ID; it returns 0, which no check accepts, for other texts.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// Journal records the steps that victims reported, for a comparison with the
// store.
type Journal struct {
	// Lines counts the lines that were noted.
	Lines int

	logins map[string]map[string]int // how often each line came, by name
	key    int                       // number of the newest key
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{logins: make(map[string]map[string]int)} }

// Note records a line of a victim.
func (j *Journal) Note(line string) {
	words := strings.Fields(line)
	j.Lines++
	if words[0] == "keys" {
		j.key = max(j.key, number(words[1])) // loops report out of order
		return
	}
	if words[0] == "link" {
		j.logins[words[1]] = make(map[string]int)
	}
	j.logins[words[1]][words[0]]++
}

// Check compares a store with the steps that were acknowledged in all rounds so
// far. A step of a process that was killed may complete shortly after.
func (j *Journal) Check(t *testing.T, store authcore.Store, round int) {
	t.Helper()
	deadline := time.After(patience() / 2)
	revoked, _ := feedSince(t, store, "")
	for name, steps := range j.logins {
		for problem := j.check(t, store, name, revoked); problem != ""; problem = j.check(t, store, name, revoked) {
			select {
			case <-time.After(20 * time.Millisecond):
				revoked, _ = feedSince(t, store, "")
			case <-deadline:
				t.Fatalf("round %d: %s after the steps %v: %s", round, name, steps, problem)
			}
		}
	}
	keys, err := store.UpdateKeys(t.Context(), unchanged)
	if err != nil || j.key > 0 && (len(keys) != 1 || number(keys[0].ID) < j.key) {
		t.Errorf("round %d: UpdateKeys = %v, error %v, want %d or a later one", round, keys, err, j.key)
	}
}

// check returns what is wrong with a login. A login stores the user with its
// session and takes the link; a logout ends the session and adds the revocation.
func (j *Journal) check(t *testing.T, store authcore.Store, name string, revoked map[string]authcore.Revocation) string {
	account, steps := stepAccount(name), j.logins[name]
	link, linkErr := store.Record(t.Context(), StepRecord(name).RecordKey, start)
	got, userErr := store.Account(t.Context(), byEmail(account.User.EmailKey()), start)
	_, identityErr := store.User(t.Context(), byIdentity(account.Identities[0]))
	for _, err := range []error{linkErr, userErr, identityErr} {
		if err != nil && !errors.Is(err, authcore.ErrNotFound) {
			return fmt.Sprint("reading failed: ", err)
		}
	}
	present, isUser, live := linkErr == nil, userErr == nil, len(got.Sessions) == 1
	_, ended := revoked[feedKey(authcore.RevokeSession, account.Sessions[0].ID)]
	state := fmt.Sprintf("link %v, user %v, session %v, revoked %v", present, isUser, live, ended)
	switch {
	case present && len(link.Data) < steps["guess"]:
		return fmt.Sprintf("%d guesses are left", len(link.Data))
	case present == isUser, isUser && live == ended, isUser != (identityErr == nil):
		return "half of a step: " + state
	case isUser && steps["login"] == 0, ended && steps["logout"] == 0:
		return "a step that did not begin: " + state
	case !isUser && steps["in"] > 0, live && steps["out"] > 0:
		return "a lost step: " + state
	}
	return ""
}

package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// A step that was overtaken is computed again: maxTries times, with pauses that grow
// to maxPause.
const (
	maxTries = 500
	maxPause = 20 * time.Millisecond
)

// errConflict reports that what a step read has changed.
var errConflict = errors.New("conflicting update")

// commit collects the checks and writes of a step.
type commit struct {
	store   *Store
	keys    []string
	numbers map[string]string
	checks  []string
	writes  []string
	// failed has what follows if a check fails.
	failed []failure
	// absent has keys that are known to be absent, claims those that are claimed.
	absent map[string]bool
	claims map[string]string
	// freed are claims of users that have to give them up.
	freed map[string]state
	// outcome is returned after the writes.
	outcome error
}

func newCommit(s *Store) *commit {
	return &commit{
		store: s, numbers: make(map[string]string), absent: make(map[string]bool), claims: make(map[string]string),
	}
}

// failure is an error, and for a claim what was claimed.
type failure struct {
	err        error
	key, field string
}

// retry runs a step until its commit is performed. A step whose outcome is unknown
// is not repeated. The step reads what it needs and must not have other effects.
func retry[T any](ctx context.Context, s *Store, now time.Time, step func(*commit) (T, error)) (T, error) {
	var none T
	freed := make(map[string]state)
	for try := range maxTries {
		c := newCommit(s)
		c.freed = freed
		result, err := step(c)
		if err != nil {
			return none, err
		}
		failed, err := c.perform(ctx)
		switch {
		case err != nil:
			return none, err
		case failed.err == nil:
			return result, c.outcome
		case failed.key != "":
			if err := c.free(ctx, failed, now); err != nil {
				return none, err
			}
		case errors.Is(failed.err, errConflict):
			clear(freed)
		default:
			return none, failed.err
		}
		pause := time.NewTimer(rand.N(min(maxPause, time.Duration(try)*time.Millisecond) + 1)) //nolint:gosec // not a secret
		select {
		case <-ctx.Done():
			pause.Stop()
			return none, unavailable(ctx.Err())
		case <-pause.C:
		}
	}
	return none, unavailable(fmt.Errorf("gave up after %d conflicting updates", maxTries))
}

// perform returns the failure of the first check that failed.
func (c *commit) perform(ctx context.Context) (failure, error) {
	if len(c.writes) == 0 {
		return failure{}, nil
	}
	arguments := append([]string{c.store.prefix, strconv.Itoa(len(c.failed))}, c.checks...)
	value, err := c.store.run(ctx, "commit", c.keys, append(arguments, c.writes...)...)
	if err != nil {
		return failure{}, err
	}
	switch number, ok := value.(int64); {
	case !ok || number < 0 || int(number) > len(c.failed):
		return failure{}, errUnexpected
	case number > 0:
		return c.failed[number-1], nil
	}
	return failure{}, nil
}

// number returns the number of a key.
func (c *commit) number(key string) string {
	if _, known := c.numbers[key]; !known {
		c.keys = append(c.keys, key)
		c.numbers[key] = strconv.Itoa(len(c.keys))
	}
	return c.numbers[key]
}

func (c *commit) check(key, field, want string, failed failure) {
	c.checks = append(c.checks, c.number(key), field, want)
	c.failed = append(c.failed, failed)
}

// unchanged checks that a key or field still has a value, or is absent for "".
func (c *commit) unchanged(key, field, value string) {
	if value != "" {
		value = "=" + value
	} else if field == "" {
		c.absent[key] = true
	}
	c.check(key, field, value, failure{err: errConflict})
}

func (c *commit) write(command, key string, arguments ...string) {
	c.writes = append(c.writes, strconv.Itoa(len(arguments)), command, c.number(key))
	c.writes = append(c.writes, arguments...)
}

// claim makes an index lead to a user. The field is that of the user that the index
// is about.
func (c *commit) claim(key, field, userID string) error {
	if other, claimed := c.claims[key]; claimed && other != userID {
		return authcore.ErrTaken
	}
	c.claims[key] = userID
	if other, ok := c.freed[key]; ok {
		user := c.store.key("u:", other.id)
		c.unchanged(key, "", other.id)
		c.unchanged(user, versionField, other.fields[versionField])
		if _, present := other.fields[field]; present && field != emailField {
			c.write("HDEL", user, field)
			c.write("HSET", user, versionField, newVersion())
		}
	} else if !c.absent[key] {
		c.check(key, "", "~"+userID, failure{authcore.ErrTaken, key, field})
	}
	c.write("SET", key, userID)
	return nil
}

// free looks whether a claimed index leads to a user that has to give it up: one
// that is absent, that lacks the item, or whose identity is unlinked or expired.
// Then the next try of the step takes it.
func (c *commit) free(ctx context.Context, claim failure, now time.Time) error {
	answer, err := c.store.elements(ctx, 2, "read", []string{claim.key}, c.store.prefix, "f")
	if err != nil {
		return err
	}
	pair := list(answer[1])
	if len(pair) != 2 {
		return nil // it was given up meanwhile
	}
	if now.IsZero() {
		millis, _ := answer[0].(int64)
		now = time.UnixMilli(millis)
	}
	id, _ := pair[0].(string)
	other := state{id: id, fields: fields(pair[1])}
	text, present := other.fields[claim.field]
	if claim.field == emailField {
		if present && c.store.key("e:", text) == claim.key {
			return authcore.ErrTaken
		}
	} else if present {
		var identity authcore.Identity
		if json.Unmarshal([]byte(text), &identity) != nil || identity.Live(now) && identity.State != authcore.IdentityUnlinked {
			return authcore.ErrTaken
		}
	}
	c.freed[claim.key] = other
	return nil
}

// revoke appends to the feed.
func (c *commit) revoke(revocations ...authcore.Revocation) error {
	for _, r := range revocations {
		text, err := encode(r)
		if err != nil {
			return err
		}
		member, until := string(r.Kind)+":"+r.ID, ""
		if !r.Until.IsZero() {
			until = millis(r.Until)
		}
		c.write("REVOKE", c.store.key("v:", member), c.number(c.store.key("meta")), member, until, text)
	}
	return nil
}

// newVersion returns a text that no other step uses.
func newVersion() string { return strconv.FormatUint(rand.Uint64(), 36) } //nolint:gosec // not a secret

// millis rounds up, so that nothing ends early.
func millis(t time.Time) string {
	return strconv.FormatInt(t.Add(time.Millisecond-1).UnixMilli(), 10)
}

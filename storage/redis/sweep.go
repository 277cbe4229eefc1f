package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Sweep deletes sessions and identities that have expired. See [authcore.Store].
// Records, revocations and counters vanish by themselves. Its cost depends on the
// number of users with expired items. Several nodes may sweep at the same time.
func (s *Store) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	var swept authcore.Swept
	for at, skip := 0, 0; at < shards; {
		answer, err := s.elements(ctx, 2, "due", []string{s.key("meta")},
			s.prefix, strconv.Itoa(at), strconv.Itoa(skip), strconv.FormatInt(now.UnixMilli(), 10))
		if err != nil {
			return swept, err
		}
		next, _ := answer[0].(int64)
		if int(next) != at {
			at, skip = int(next), 0
		}
		for _, id := range texts(answer[1]) {
			kept, err := s.sweepUser(ctx, id, now, &swept)
			if err != nil {
				return swept, err
			}
			if kept {
				skip++
			}
		}
	}
	return swept, nil
}

// sweepUser deletes what has expired for one user. It reports whether the user is
// still due, because of damage or because another step was faster.
func (s *Store) sweepUser(ctx context.Context, id string, now time.Time, swept *authcore.Swept) (bool, error) {
	users, _, clock, err := s.load(ctx, []authcore.UserRef{{ID: id}})
	if err != nil {
		return false, err
	}
	if clock.Before(now) {
		now = clock
	}
	user, key, index := users[0], s.key("u:", id), s.idsKey(id)
	if user.fields != nil {
		_ = user.decode(now) // it counts damage
	}
	c := newCommit(s)
	c.unchanged(key, versionField, user.fields[versionField])
	c.remove(id, user.gone)
	if len(user.gone) > 0 {
		c.write("HSET", key, versionField, newVersion())
	}
	switch {
	case user.damaged > 0: // it stays due, so that each sweep counts it
	case user.fields == nil:
		c.write("ZREM", index, id)
	case user.next.IsZero():
		c.write("ZADD", index, never, id)
	default:
		c.write("ZADD", index, millis(user.next), id)
	}
	failed, err := c.perform(ctx)
	if err != nil {
		return false, err
	}
	if errors.Is(failed.err, errConflict) {
		return true, nil
	}
	swept.Removed += len(user.gone)
	swept.Damaged += user.damaged
	return user.damaged > 0, nil
}

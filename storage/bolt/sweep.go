package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// class says in which table an entry of the expiry table has its item.
type class byte

const (
	linkClass       class = 'l'
	flowClass       class = 'f'
	sessionClass    class = 's'
	revocationClass class = 'r'
)

// sweepSteps is how many entries Sweep looks at in one step. Others are committed
// together with a step or between two, so that nobody waits for a whole Sweep.
const sweepSteps = 1000

// Sweep forgets what had expired before now. See authcore.Store. It goes through
// the expiry table and costs what there is to forget, not what is kept.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	for {
		looked, err := write(ctx, s, func(t *tx) (int, error) { return t.sweep(now) })
		if err != nil || looked < sweepSteps {
			return err
		}
	}
}

// expire notes when Sweep is to look at an item.
func (t *tx) expire(at time.Time, kind class, key []byte) error {
	return t.put(expiryTable, append(append(timeKey(at), byte(kind)), key...), nil)
}

// sweep looks at the first entries that are due and returns how many it was.
func (t *tx) sweep(now time.Time) (int, error) {
	end := timeKey(now)
	var due [][]byte
	cursor := t.bucket(expiryTable).Cursor()
	for key, _ := cursor.First(); key != nil && len(due) < sweepSteps; key, _ = cursor.Next() {
		if bytes.Compare(key, end) >= 0 {
			break
		}
		due = append(due, bytes.Clone(key))
	}
	for _, key := range due {
		err := errors.Join(
			t.forget(class(key[timeKeyLength]), key[timeKeyLength+1:], now),
			t.remove(expiryTable, key),
		)
		if err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// forget removes an item if it is still there and has not been prolonged.
func (t *tx) forget(kind class, key []byte, now time.Time) error {
	switch kind {
	case linkClass:
		return forget(t, linksTable, key, now, func(l authcore.Link) time.Time { return l.Expires }, t.removeLink)
	case flowClass:
		return forget(t, flowsTable, key, now, func(f authcore.Flow) time.Time { return f.Expires },
			func(authcore.Flow) error { return t.remove(flowsTable, key) })
	case sessionClass:
		return forget(t, sessionsTable, key, now, func(s authcore.Session) time.Time { return s.Expires },
			t.removeSession)
	case revocationClass:
		return t.forgetRevocation(key, now)
	default:
		return damaged(fmt.Errorf("class %q", byte(kind)), expiryTable)
	}
}

func (t *tx) forgetRevocation(key []byte, now time.Time) error {
	number := bytes.Clone(t.get(revocationsByIDTable, key))
	if number == nil {
		return nil
	}
	entry, err := parseRevocation(t.get(revocationsTable, number))
	if err != nil {
		return err
	}
	if now.Before(entry.Forget) {
		return nil
	}
	return errors.Join(t.remove(revocationsTable, number), t.remove(revocationsByIDTable, key))
}

func forget[T any](
	t *tx, name table, key []byte, now time.Time, expires func(T) time.Time, remove func(T) error,
) error {
	item, err := load[T](t, name, key)
	switch {
	case errors.Is(err, authcore.ErrNotFound):
		return nil
	case err != nil:
		return err
	case now.Before(expires(item)):
		return nil
	}
	return remove(item)
}

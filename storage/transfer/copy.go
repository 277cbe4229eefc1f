package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// batch is the number of items that are stored in one step: an engine limits the
// time of a step.
const batch = 500

// Errors of Move.
var (
	// ErrForeignKeys reports that the target has signing keys that the source
	// does not have.
	ErrForeignKeys = errors.New(
		"the target has signing keys of its own, because a server has used it; tokens of one of the two would end early; " +
			"stop that server, empty the target, and run this again")
	// ErrEmpty reports that the source has nothing to move.
	ErrEmpty = errors.New(
		"the source is empty, so that nothing was moved; check which source and realm are named")
)

// CheckKeys returns ErrForeignKeys if a server has generated keys in the target. A
// key stays published until its last token has expired, which is computed from the
// time at which the next key began to sign. Two keys that signed at the same time,
// one here and one there, cannot both be kept long enough.
func CheckKeys(ctx context.Context, from, to authcore.Keys, now time.Time) error {
	same := func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) { return keys, nil }
	source, err := from.UpdateKeys(ctx, same)
	if err != nil {
		return fmt.Errorf("reading the keys of the source: %w", err)
	}
	target, err := to.UpdateKeys(ctx, same)
	if err != nil {
		return fmt.Errorf("reading the keys of the target: %w", err)
	}
	for _, key := range target {
		moved := slices.ContainsFunc(source, func(k authcore.SigningKey) bool { return k.ID == key.ID })
		if !moved && key.Live(now) {
			return ErrForeignKeys
		}
	}
	return nil
}

// Copy stores in the target what is in the source and not yet in the target. It
// returns the items that it read and the number of those that it stored, and
// ErrEmpty if there were none. Progress is called after each step with the items
// read so far. After an error, stored items stay and Copy may be called again.
func Copy(
	ctx context.Context, from, to authcore.Transfer, now time.Time, progress func(Counts),
) (read Counts, stored int, err error) {
	err = walk(ctx, "source", from, now, func(items []authcore.Item) error {
		for part := range slices.Chunk(items, batch) {
			n, err := to.Import(ctx, part)
			if err != nil {
				return importError(ctx, to, part, err)
			}
			stored += n
			for _, item := range part {
				kind, known := kindOf(item)
				if !known {
					return errors.New("the source has items of a kind that this program does not know; run the newer program")
				}
				read[kind]++
			}
			progress(read)
		}
		return nil
	})
	if err == nil && read.Total() == 0 {
		err = ErrEmpty
	}
	return read, stored, err
}

// walk reads all items of a store, a page at a time. Errors name the store.
func walk(
	ctx context.Context, name string, store authcore.Transfer, now time.Time, page func([]authcore.Item) error,
) error {
	for cursor := ""; ; {
		items, next, err := store.Export(ctx, cursor, now)
		if err != nil {
			return fmt.Errorf("reading the %s: %w", name, err)
		}
		if len(items) == 0 {
			return nil
		}
		if err := page(items); err != nil {
			return err
		}
		if next == cursor {
			return fmt.Errorf("reading the %s: its engine returned the same cursor twice; report this as a bug", name)
		}
		cursor = next
	}
}

// importError describes the conflict in a part that was refused. It imports the
// items one by one, because the contract does not specify which item conflicts.
// The message contains no address: it may be logged (CWE-532).
func importError(ctx context.Context, to authcore.Transfer, part []authcore.Item, err error) error {
	if !errors.Is(err, authcore.ErrTaken) && !errors.Is(err, authcore.ErrNotFound) {
		return fmt.Errorf("storing in the target: %w", err)
	}
	for i, item := range part {
		_, err := to.Import(ctx, part[i:i+1])
		switch {
		case err == nil:
		case errors.Is(err, authcore.ErrTaken) && item.User != nil:
			return fmt.Errorf("user %s: the e-mail address belongs to another user of the target, which was in use; "+
				"empty the target and run this again", item.User.ID)
		case errors.Is(err, authcore.ErrTaken) && item.Identity != nil:
			return fmt.Errorf("user %s: the identity at %s belongs to another user of the target, which was in use; "+
				"empty the target and run this again", item.Identity.UserID, item.Identity.Provider)
		default:
			return fmt.Errorf("storing in the target: %w", err)
		}
	}
	return fmt.Errorf("storing in the target: %w; each item alone was stored; run this again", err)
}

package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// batch is how many records are stored in one step: a back end bounds the time of
// a step.
const batch = 500

// ErrForeignKeys says that the target has signing keys that the source has not.
var ErrForeignKeys = errors.New(
	"the target has signing keys of its own: a server has run on it, and tokens of one of the two would end early; " +
		"stop that server, empty the target, and run this again")

// CheckKeys returns ErrForeignKeys when a server has made itself keys in the
// target. A key has to stay published until its last token has expired, which is
// reckoned from when the next one began to sign: two keys that signed at the same
// time, here and there, cannot both be kept for long enough.
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
		if !moved && (key.Expires.IsZero() || now.Before(key.Expires)) {
			return ErrForeignKeys
		}
	}
	return nil
}

// Copy stores in the target what is in the source and not yet in the target, and
// returns how much it read and how much of it was stored. Progress is called after
// each step with what was read so far. When it fails, what was stored stays, and
// Copy may be called again.
func Copy(
	ctx context.Context, from, to authcore.Transfer, now time.Time, progress func(Counts),
) (read Counts, stored int, err error) {
	err = walk(ctx, "source", from, now, func(records []authcore.Record) error {
		for part := range slices.Chunk(records, batch) {
			n, err := to.Import(ctx, part)
			if err != nil {
				return importError(ctx, to, part, err)
			}
			stored += n
			for _, record := range part {
				kind, known := kindOf(record)
				if !known {
					return errors.New("the source has records of a kind that this program does not know: run the newer program")
				}
				read[kind]++
			}
			progress(read)
		}
		return nil
	})
	return read, stored, err
}

// walk reads all records of a store, a page at a time. Errors name the store.
func walk(
	ctx context.Context, name string, store authcore.Transfer, now time.Time, page func([]authcore.Record) error,
) error {
	for cursor := ""; ; {
		records, next, err := store.Export(ctx, cursor, now)
		if err != nil {
			return fmt.Errorf("reading the %s: %w", name, err)
		}
		if len(records) == 0 {
			return nil
		}
		if err := page(records); err != nil {
			return err
		}
		if next == cursor {
			return fmt.Errorf("reading the %s: its storage does not come forward; report it to who made that", name)
		}
		cursor = next
	}
}

// importError says what is wrong with a part that was refused. It goes through it
// one by one, because the contract does not tell which record it was.
func importError(ctx context.Context, to authcore.Transfer, part []authcore.Record, err error) error {
	if !errors.Is(err, authcore.ErrTaken) && !errors.Is(err, authcore.ErrNotFound) {
		return fmt.Errorf("storing in the target: %w", err)
	}
	for i := range part {
		_, err := to.Import(ctx, part[i:i+1])
		switch {
		case err == nil:
		case errors.Is(err, authcore.ErrTaken) && part[i].User != nil:
			return fmt.Errorf("user %s: the e-mail address belongs to another user of the target: "+
				"was the target in use? Empty it and run this again", part[i].User.ID)
		case errors.Is(err, authcore.ErrTaken) && part[i].Identity != nil:
			return fmt.Errorf("user %s: the account at %s belongs to another user of the target: "+
				"was the target in use? Empty it and run this again", part[i].Identity.UserID, part[i].Identity.Provider)
		default:
			return fmt.Errorf("storing in the target: %w", err)
		}
	}
	return fmt.Errorf("storing in the target: %w; it went well one by one: run this again", err)
}

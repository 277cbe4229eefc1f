package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Select returns the realms to move: the wanted ones or, if none are named, all
// that are present. It refuses names that the source does not have, because opening
// one would create it there, and a source without realms.
func Select(present, wanted []string) ([]string, error) {
	if len(present) == 0 {
		return nil, errors.New("the source has no realms, so that nothing can be moved; check which source is named")
	}
	for _, realm := range wanted {
		if !slices.Contains(present, realm) {
			return nil, fmt.Errorf("the source has no realm %q; name one of %q", realm, present)
		}
	}
	realms := slices.Clone(wanted)
	if len(realms) == 0 {
		realms = slices.Clone(present)
	}
	slices.Sort(realms)
	return slices.Compact(realms), nil
}

// Moved reports the work of Move.
type Moved struct {
	// Read holds the items of the source; Stored counts those that were not in
	// the target before.
	Read   Counts
	Stored int
}

// Move copies a realm and compares it with the copy. Errors describe what to do. A
// move that failed may be repeated.
func Move(
	ctx context.Context, from, to authcore.Store, now func() time.Time, progress func(Counts),
) (moved Moved, err error) {
	if err := CheckKeys(ctx, from, to, now()); err != nil {
		return moved, err
	}
	moved.Read, moved.Stored, err = Copy(ctx, from, to, now(), progress)
	if err != nil {
		return moved, err
	}
	at := now()
	snapshot, err := Take(ctx, from, at)
	if err != nil {
		return moved, err
	}
	difference, err := snapshot.Compare(ctx, to, at)
	switch {
	case err != nil:
		return moved, err
	case difference.Equal():
		return moved, nil
	case difference.Changed.Total()+difference.Surplus.Total() == 0:
		return moved, fmt.Errorf("%s: the source is in use; stop every server that uses it, and run this again", difference)
	}
	return moved, fmt.Errorf("%s: one of the two was in use since the copy began, and items of the target are never changed; "+
		"stop every server that uses either, empty the target, and run this again", difference)
}

// Preview reports what Move would do, without a change.
type Preview struct {
	// Source holds the items of the source; Present those of them that the target
	// has already.
	Source, Present Counts
}

// Try returns a Preview. The target is nil if it does not exist yet. The error is
// that which Move would return.
func Try(ctx context.Context, from, to authcore.Store, now time.Time) (preview Preview, err error) {
	snapshot, err := Take(ctx, from, now)
	if err != nil {
		return preview, err
	}
	preview.Source = snapshot.Counts()
	if preview.Source.Total() == 0 {
		return preview, ErrEmpty
	}
	if to == nil {
		return preview, nil
	}
	if err := CheckKeys(ctx, from, to, now); err != nil {
		return preview, err
	}
	difference, err := snapshot.Compare(ctx, to, now)
	preview.Present = difference.Same
	difference.Missing = Counts{} // they are to be copied
	if err == nil && !difference.Equal() {
		err = fmt.Errorf("%s: one of the two was in use since a copy began; empty the target first", difference)
	}
	return preview, err
}

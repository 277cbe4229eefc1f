package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// A change that was computed from what another one has replaced meanwhile is
// computed anew: maxTries times, with pauses that grow to maxPause.
const (
	maxTries = 500
	maxPause = 20 * time.Millisecond
)

// retry runs a step until it was not overtaken. A step whose outcome is unknown is
// not run again: its error is returned.
func retry[T any](ctx context.Context, step func() (result T, overtaken bool, err error)) (T, error) {
	var none T
	for try := range maxTries {
		result, overtaken, err := step()
		if err != nil {
			return none, err
		}
		if !overtaken {
			return result, nil
		}
		pause := time.NewTimer(rand.N(min(maxPause, time.Duration(try+1)*time.Millisecond))) //nolint:gosec // no secret
		select {
		case <-ctx.Done():
			pause.Stop()
			return none, unavailable(ctx.Err())
		case <-pause.C:
		}
	}
	return none, unavailable(errors.New("others were faster, again and again"))
}

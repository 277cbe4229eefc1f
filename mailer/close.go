package mailer

import (
	"context"
	"fmt"
)

// DroppedError says how many mails were left when Close had to stop.
type DroppedError struct{ Count int }

func (e *DroppedError) Error() string {
	return fmt.Sprintf("mailer: %d undelivered mails dropped", e.Count)
}

// Close takes no more mail and delivers what is left, waiting mails at once,
// until ctx ends. Then it cancels the attempts under way, closes the transport
// and returns a *DroppedError if mails were left. Decoys are not counted. Later
// calls wait for the first one and return nil, or the error of their ctx.
func (q *Queue) Close(ctx context.Context) error {
	if !q.shut() {
		select {
		case <-q.closed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer close(q.closed)
	select {
	case <-q.drained:
	case <-ctx.Done():
	}
	q.cancel()
	q.workers.Wait()

	dropped := q.dropRest()
	err := q.transport.Close()
	if dropped > 0 {
		q.logger.WarnContext(ctx, "undelivered mails dropped at shutdown", "count", dropped)
		return &DroppedError{Count: dropped}
	}
	return err
}

// shut stops the intake and reports whether this call did it.
func (q *Queue) shut() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isShut {
		return false
	}
	q.isShut = true
	close(q.closing)
	for it, stop := range q.waiting {
		stop()
		delete(q.waiting, it)
		q.ready <- it
	}
	q.signalIfDrained()
	return true
}

// signalIfDrained is called with the lock held whenever the last mail may be
// gone.
func (q *Queue) signalIfDrained() {
	if !q.isShut || q.mails > 0 {
		return
	}
	select {
	case <-q.drained:
	default:
		close(q.drained)
	}
}

// dropRest empties the queue, when no worker runs any more, and returns how many
// mails were in it.
func (q *Queue) dropRest() int {
	q.mu.Lock()
	var rest []*item
	for it, stop := range q.waiting {
		stop()
		delete(q.waiting, it)
		rest = append(rest, it)
	}
	for len(q.ready) > 0 {
		rest = append(rest, <-q.ready)
	}
	dropped := q.mails
	q.places, q.mails = 0, 0
	q.mu.Unlock()
	for _, it := range rest {
		q.report(it, Dropped)
	}
	return dropped
}

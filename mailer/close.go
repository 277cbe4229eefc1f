package mailer

import (
	"context"
	"fmt"

	"github.com/edgeauth/edgeauth/authcore"
)

// DroppedError is returned by Close and HandOver if mails were left.
type DroppedError struct{ Count int }

func (e *DroppedError) Error() string {
	return fmt.Sprintf("mailer: %d undelivered mails dropped", e.Count)
}

// Close accepts no more mail and delivers the rest until ctx ends, without further
// pauses. Then it cancels the current attempts, closes the transport, and returns a
// *DroppedError if mails were left. Decoys are not counted. Later calls wait for the
// first one and return nil, or the error of their ctx.
func (q *Queue) Close(ctx context.Context) error {
	if !q.shut(false) { //nolint:contextcheck // deliveries have the context of the queue
		return q.awaitClosed(ctx)
	}
	return q.end(ctx, q.drained, func(*item) error { return ErrClosed })
}

// HandOver ends the queue when another one replaces it. Current attempts may end; all
// other mails go to next, which renders and delivers them. If ctx ends first, the
// current attempts are canceled. It returns a *DroppedError if next did not accept all
// mails.
func (q *Queue) HandOver(ctx context.Context, next authcore.Mailer) error {
	if !q.shut(true) { //nolint:contextcheck // deliveries have the context of the queue
		return q.awaitClosed(ctx)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		q.attempts.Wait()
	}()
	return q.end(ctx, ended, func(it *item) error { return next.Enqueue(ctx, it.mail) })
}

// end waits for done or the end of ctx, cancels the current attempts and closes the
// transport. Mails that were left go to take, and are dropped if it fails.
func (q *Queue) end(ctx context.Context, done <-chan struct{}, take func(*item) error) error {
	defer close(q.closed)
	select {
	case <-done:
	case <-ctx.Done():
	}
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.cancel()
	q.attempts.Wait()

	var dropped int
	for _, it := range q.takeRest() {
		if err := take(it); err != nil && !it.mail.Decoy {
			dropped++
			q.report(it, Dropped)
		}
	}
	err := q.transport.Close()
	if dropped > 0 {
		q.logger.WarnContext(ctx, "undelivered mails dropped", "count", dropped)
		return &DroppedError{Count: dropped}
	}
	return err
}

// awaitClosed waits for the call that closes the queue.
func (q *Queue) awaitClosed(ctx context.Context) error {
	select {
	case <-q.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shut stops accepting mail and makes waiting items ready. It reports whether this
// call did it. For a hand-over it starts no more attempts.
func (q *Queue) shut(handOver bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isShut {
		return false
	}
	q.isShut, q.stopped = true, handOver
	close(q.closing)
	for it, stop := range q.waiting {
		stop()
		delete(q.waiting, it)
		if it.hasPlace {
			q.fresh.push(it)
		} else {
			q.due.push(it)
		}
	}
	q.dispatch()
	q.signalIfDrained()
	return true
}

// signalIfDrained closes drained after the last mail. The caller holds the lock.
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

// takeRest empties the queue after the last attempt, and returns its items.
func (q *Queue) takeRest() []*item {
	q.mu.Lock()
	defer q.mu.Unlock()
	rest := q.left
	for it, stop := range q.waiting {
		stop()
		rest = append(rest, it)
	}
	for _, line := range []*lanes{&q.fresh, &q.due} {
		for _, items := range line.items {
			rest = append(rest, items...)
		}
		*line = newLanes()
	}
	q.waiting, q.left, q.retries, q.retryCount = map[*item]func() bool{}, nil, newLanes(), 0
	q.places, q.total, q.mails = 0, 0, 0
	return rest
}

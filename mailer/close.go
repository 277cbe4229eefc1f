package mailer

import (
	"context"
	"fmt"

	"github.com/edgeauth/edgeauth/authcore"
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
	if !q.shut(false) {
		return q.awaitClosed(ctx)
	}
	defer close(q.closed)
	select {
	case <-q.drained:
	case <-ctx.Done():
	}
	q.cancel()
	q.workers.Wait()

	var dropped int
	for _, it := range q.takeRest() {
		if !it.mail.Decoy {
			dropped++
		}
		q.report(it, Dropped)
	}
	return q.closeTransport(ctx, dropped)
}

// HandOver ends the queue when another takes its place: attempts under way may
// end, and what is left goes to next, to be rendered and delivered in its way.
// When ctx ends first, those attempts are cut short; their mails may then arrive
// twice. It returns a *DroppedError when next did not take all of them.
func (q *Queue) HandOver(ctx context.Context, next authcore.Mailer) error {
	if !q.shut(true) {
		return q.awaitClosed(ctx)
	}
	defer close(q.closed)
	done := make(chan struct{})
	go func() {
		defer close(done)
		q.workers.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	q.cancel()
	<-done

	var dropped int
	for _, it := range q.takeRest() {
		if err := next.Enqueue(ctx, it.mail); err != nil && !it.mail.Decoy {
			dropped++
			q.report(it, Dropped)
		}
	}
	return q.closeTransport(ctx, dropped)
}

func (q *Queue) closeTransport(ctx context.Context, dropped int) error {
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

// shut stops the intake and makes waiting mails ready, and reports whether this
// call did it. To hand over, it stops the workers before: they would try the
// mails once more where they failed.
func (q *Queue) shut(handOver bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isShut {
		return false
	}
	q.isShut = true
	if handOver {
		close(q.handing)
	}
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

// takeRest empties the queue, when no worker runs any more, and returns what was
// in it.
func (q *Queue) takeRest() []*item {
	q.mu.Lock()
	defer q.mu.Unlock()
	var rest []*item
	for it, stop := range q.waiting {
		stop()
		delete(q.waiting, it)
		rest = append(rest, it)
	}
	for len(q.ready) > 0 {
		rest = append(rest, <-q.ready)
	}
	q.places, q.mails = 0, 0
	return rest
}

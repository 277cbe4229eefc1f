package mailer

import (
	"context"
	"errors"
	"time"
)

// work delivers mails until the queue ends.
func (q *Queue) work() {
	for {
		select {
		case <-q.ctx.Done():
			return
		case <-q.handing:
			return
		case it := <-q.ready:
			q.handle(it)
		}
	}
}

// handle makes one attempt at an item and decides what becomes of it.
func (q *Queue) handle(it *item) {
	switch {
	case q.ctx.Err() != nil || isClosed(q.handing): // the choice of select is random
		q.ready <- it
		return
	case it.mail.Decoy:
		q.imitate(it)
		return
	case !q.now().Before(it.mail.Expires):
		q.expire(it)
		return
	}
	if it.message == nil {
		message, err := q.compose.compose(it.mail)
		if err != nil {
			q.logger.ErrorContext(q.ctx, "mail dropped", "error", err)
			q.finish(it, Dropped)
			return
		}
		it.message = message
	}
	it.attempts++
	begin := q.now()
	err := q.deliver(it.message)
	if err != nil && q.ctx.Err() != nil {
		q.ready <- it // left for Close to count
		return
	}
	q.conclude(it, err, q.now().Sub(begin))
}

// conclude acts on the end of an attempt.
func (q *Queue) conclude(it *item, err error, took time.Duration) {
	failure := describe(err)
	q.remember(attemptRecord{took: took, retry: failure != nil && !failure.Permanent})
	switch {
	case failure == nil:
		q.logger.DebugContext(q.ctx, "mail sent", "message", it.message, "attempts", it.attempts)
		q.finish(it, Sent)
	case failure.Permanent:
		q.warn("rejected", it, failure, 0)
		q.finish(it, Rejected)
	default:
		q.tryLater(it, failure)
	}
}

// tryLater puts a mail back, unless it would expire before its turn.
func (q *Queue) tryLater(it *item, failure *DeliveryError) {
	pause := q.backoff.pause(it.attempts)
	if !q.now().Add(pause).Before(it.mail.Expires) {
		q.warn("given up, because the link will have expired", it, failure, 0)
		q.finish(it, Expired)
		return
	}
	q.warn("tried again after the pause", it, failure, pause)
	q.report(it, Retried)
	q.putBack(it, pause)
}

func (q *Queue) expire(it *item) {
	q.logger.WarnContext(q.ctx, "mail expired in the queue", "attempts", it.attempts)
	q.finish(it, Expired)
}

// deliver runs one attempt in bounded time. A panic in a transport costs the
// mail, not the process; what it says may hold a secret and is not repeated.
func (q *Queue) deliver(m *Message) (err error) {
	ctx, cancel := context.WithTimeout(q.ctx, q.timeout)
	defer cancel()
	defer func() {
		if recover() != nil {
			err = &DeliveryError{Permanent: true, Stage: stageConnect, Reason: "transport panicked"}
		}
	}()
	return q.transport.Deliver(ctx, m)
}

// describe returns what may be said about an error of a transport. Foreign
// errors may hold an address: only their being there is told.
func describe(err error) *DeliveryError {
	var failure *DeliveryError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failure):
		return failure
	default:
		return &DeliveryError{Stage: stageConnect, Reason: "delivery failed"}
	}
}

// warn tells that an attempt failed and what follows from it.
func (q *Queue) warn(consequence string, it *item, failure *DeliveryError, pause time.Duration) {
	q.logger.WarnContext(q.ctx, "mail not delivered", "consequence", consequence, "pause", pause,
		"message", it.message, "attempts", it.attempts, "stage", failure.Stage,
		"status", failure.Status, "enhanced", failure.Enhanced, "reason", failure.Reason)
}

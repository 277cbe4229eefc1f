package mailer

import (
	"context"
	"errors"
	"time"
)

const (
	// slowAfter is the time after which an attempt releases its worker. Servers may
	// take minutes for a reply, and other mails must not wait for them.
	slowAfter = 10 * time.Second
	// slowOfDomain limits the attempts of one recipient domain while some of them are
	// slow.
	slowOfDomain = 4
)

// dispatch starts attempts while there are free workers. The caller holds the lock.
func (q *Queue) dispatch() {
	for !q.stopped && q.running < q.limits.workers {
		it := q.next()
		if it == nil {
			return
		}
		q.running++
		q.activeOf[it.domain]++
		q.attempts.Go(func() { q.run(it) })
	}
}

// next returns the next ready item, alternating between first and further attempts.
func (q *Queue) next() *item {
	lines := []*lanes{&q.fresh, &q.due}
	if q.dueNext {
		lines[0], lines[1] = lines[1], lines[0]
	}
	q.dueNext = !q.dueNext
	for _, line := range lines {
		if it := line.pop(q.isBusy); it != nil {
			q.leaveRetries(it)
			return it
		}
	}
	return nil
}

// isBusy reports whether no further attempt of a domain may start now.
func (q *Queue) isBusy(domain string) bool {
	return q.slowOf[domain] > 0 && q.activeOf[domain] >= slowOfDomain
}

// isBlocked reports whether all attempts of a busy domain are slow.
func (q *Queue) isBlocked(domain string) bool { return q.slowOf[domain] >= slowOfDomain }

// attempt is one attempt at an item.
type attempt struct {
	*item
	// isSlow is set when the attempt has released its worker, hasEnded at its end.
	isSlow, hasEnded bool
}

// run makes one attempt at an item and releases the worker.
func (q *Queue) run(it *item) {
	a := &attempt{item: it}
	stop := q.afterFunc(slowAfter, func() { q.slowDown(a) })
	q.try(it, stop)
	q.mu.Lock()
	defer q.mu.Unlock()
	a.hasEnded = true
	decrement(q.activeOf, it.domain)
	if a.isSlow {
		q.slow--
		decrement(q.slowOf, it.domain)
	} else {
		q.running--
	}
	q.dispatch()
}

func decrement(counts map[string]int, key string) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// slowDown releases the worker of an attempt that takes too long. Mails for a blocked
// domain move to the retry budget.
func (q *Queue) slowDown(a *attempt) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if a.hasEnded || q.slow >= q.limits.slowWorkers {
		return
	}
	a.isSlow = true
	q.running--
	q.slow++
	if q.slowOf[a.domain]++; q.isBlocked(a.domain) {
		for _, it := range q.fresh.take(a.domain) {
			q.putBack(it, firstPause+share(firstPause))
		}
	}
	q.dispatch()
}

// try makes one attempt at an item and decides about further ones. It calls delivered
// when the transport has returned.
func (q *Queue) try(it *item, delivered func() bool) {
	if !q.now().Before(it.mail.Expires) {
		q.expire(it)
		return
	}
	message, err := q.render(it)
	if err != nil {
		q.logger.ErrorContext(q.ctx, "mail dropped", "error", err)
		q.finish(it, Dropped)
		return
	}
	ctx, cancel := q.attemptContext(it)
	defer cancel()
	if !q.isLive(ctx, it) {
		q.expire(it)
		return
	}
	it.attempts++
	begin := q.now()
	failure := q.deliver(ctx, it, message)
	delivered()
	cancel()
	if failure != nil && q.ctx.Err() != nil && !failure.Permanent && !failure.Unknown {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.left = append(q.left, it)
		return
	}
	q.conclude(it, message, failure, q.now().Sub(begin))
}

// render renders the mail of an item. Message-ID and date are the same in every
// attempt. The message is not kept between attempts, to save memory.
func (q *Queue) render(it *item) (message *Message, err error) {
	defer func() {
		if recover() != nil { // the value may contain a secret
			err = errors.New("mailer: rendering panicked")
		}
	}()
	message, err = q.compose.compose(it.mail, it.stamp)
	if err == nil {
		it.stamp = stamp{message.MessageID, message.Date}
	}
	return message, err
}

// attemptContext returns a context that ends when the link in the mail expires.
func (q *Queue) attemptContext(it *item) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(q.ctx)
	stop := q.afterFunc(it.mail.Expires.Sub(q.now()), func() { cancel(context.DeadlineExceeded) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// isLive reports whether the link in the mail can still be used. Decoys perform the
// same lookup.
func (q *Queue) isLive(ctx context.Context, it *item) (live bool) {
	if it.mail.Live == nil {
		return true
	}
	defer func() {
		if recover() != nil {
			live = true
		}
	}()
	return it.mail.Live(ctx) || it.mail.Decoy
}

// deliver calls the transport. A panic of the transport drops the mail; its value may
// contain a secret and is not logged.
func (q *Queue) deliver(ctx context.Context, it *item, m *Message) (failure *DeliveryError) {
	if it.mail.Decoy {
		return q.imitate()
	}
	defer func() {
		if recover() != nil {
			failure = &DeliveryError{Permanent: true, Stage: stageConnect, Reason: "the transport panicked"}
		}
	}()
	return describe(q.transport.Deliver(ctx, m))
}

// conclude acts on the result of an attempt.
func (q *Queue) conclude(it *item, m *Message, failure *DeliveryError, took time.Duration) {
	isTemporary := failure != nil && !failure.Permanent && !failure.Unknown
	if !it.mail.Decoy {
		q.remember(attemptRecord{took: took, retry: isTemporary})
	}
	switch {
	case failure == nil:
		if !it.mail.Decoy {
			q.logger.DebugContext(q.ctx, "mail sent", "message", m, "attempts", it.attempts)
		}
		q.finish(it, Sent)
	case failure.Unknown:
		q.warn("not sent again, because it may have arrived", it, m, failure, 0)
		q.finish(it, Unknown)
	case failure.Permanent:
		q.warn("rejected", it, m, failure, 0)
		q.finish(it, Rejected)
	default:
		q.tryLater(it, m, failure)
	}
}

// tryLater lets an item wait for another attempt, unless its link expires first.
func (q *Queue) tryLater(it *item, m *Message, failure *DeliveryError) {
	pause := pauseAfter(it.attempts)
	if !q.now().Add(pause).Before(it.mail.Expires) || it.mail.Decoy && isClosed(q.closing) {
		q.warn("given up, because the link will have expired", it, m, failure, 0)
		q.finish(it, Expired)
		return
	}
	q.warn("retried after the pause", it, m, failure, pause)
	q.report(it, Retried)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.putBack(it, pause)
}

func (q *Queue) expire(it *item) {
	if !it.mail.Decoy {
		q.logger.WarnContext(q.ctx, "mail expired in the queue", "attempts", it.attempts)
	}
	q.finish(it, Expired)
}

// describe returns the loggable part of a transport's error. Errors of other types may
// contain an address.
func describe(err error) *DeliveryError {
	var failure *DeliveryError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failure):
		return failure
	default:
		return &DeliveryError{Stage: stageConnect, Reason: "the delivery failed"}
	}
}

// warn logs a failed attempt and its consequence.
func (q *Queue) warn(consequence string, it *item, m *Message, failure *DeliveryError, pause time.Duration) {
	if it.mail.Decoy {
		return
	}
	q.logger.WarnContext(q.ctx, "mail not delivered", "consequence", consequence, "pause", pause,
		"message", m, "attempts", it.attempts, "stage", failure.Stage,
		"status", failure.Status, "enhanced", failure.Enhanced, "reason", failure.Reason)
}

package mailer

import "time"

// attemptRecord is what a decoy needs to know of a real attempt.
type attemptRecord struct {
	took  time.Duration
	retry bool
}

func (q *Queue) remember(record attemptRecord) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.recent = record
}

// imitate lets a decoy share the fate of the last real attempt: it keeps a
// worker for as long, and waits for another attempt where the real one did. A
// decoy that left at once would free its place earlier than a mail, and whoever
// fills the queue could tell by that which addresses get mail (CWE-204).
func (q *Queue) imitate(it *item) {
	q.mu.Lock()
	recent := q.recent
	q.mu.Unlock()

	it.attempts++
	q.pass(recent.took)
	pause := q.backoff.pause(it.attempts)
	if recent.retry && !isClosed(q.closing) && q.now().Add(pause).Before(it.mail.Expires) {
		q.putBack(it, pause)
		return
	}
	q.finish(it, Sent)
}

// pass lets time go by, except when the queue closes.
func (q *Queue) pass(d time.Duration) {
	if d <= 0 {
		return
	}
	over := make(chan struct{})
	stop := q.afterFunc(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
	case <-q.closing:
	}
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

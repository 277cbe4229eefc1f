package mailer

import "time"

// attemptRecord describes the last attempt at a real mail, which decoys imitate.
type attemptRecord struct {
	took  time.Duration
	retry bool
}

func (q *Queue) remember(record attemptRecord) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.recent = record
}

// imitate is the delivery of a decoy. It takes as long as the last real attempt and
// has the same result. Otherwise a decoy would free its place earlier than a mail, and
// a client that fills the queue could recognize the addresses that receive mail
// (CWE-204).
func (q *Queue) imitate() *DeliveryError {
	q.mu.Lock()
	recent := q.recent
	q.mu.Unlock()
	q.pass(recent.took)
	if recent.retry {
		return &DeliveryError{Stage: stageConnect}
	}
	return nil
}

// pass waits, unless the queue closes.
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

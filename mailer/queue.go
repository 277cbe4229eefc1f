package mailer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Queue holds mails until they are delivered, refused or expired. It implements
// authcore.Mailer and is safe for concurrent use.
//
// A mail takes a place from Enqueue to its end, also while it waits for another
// attempt; waiting occupies no worker. A Queue keeps nothing of the QueueConfig
// it was made from but what it holds: when a configuration is replaced, the old
// Queue can be closed at leisure while a new one takes the new mails.
type Queue struct {
	compose   composer
	transport Transport
	timeout   time.Duration
	observe   func(Outcome)
	logger    *slog.Logger
	now       func() time.Time
	afterFunc func(time.Duration, func()) func() bool
	backoff   backoff

	// ctx ends when Close stops waiting; the workers end with it.
	ctx     context.Context //nolint:containedctx // the life of the queue, not of a call
	cancel  context.CancelFunc
	workers sync.WaitGroup

	// ready has room for every mail, so that sending to it never blocks.
	ready chan *item
	// closing is closed when Close begins, drained when no mail is left after
	// that, closed when Close is over.
	closing, drained, closed chan struct{}
	// handing is closed when HandOver begins: workers end after their attempt.
	handing chan struct{}

	mu sync.Mutex
	// places counts all items, mails those that are no decoys.
	places, mails int
	// waiting are the items between two attempts with what stops their timer.
	waiting map[*item]func() bool
	isShut  bool
	recent  attemptRecord
}

// item is a mail in the queue.
type item struct {
	mail     authcore.LinkMail
	message  *Message // rendered at the first attempt
	queued   time.Time
	attempts int
}

// NewQueue checks the configuration and starts the workers. Close ends them.
func NewQueue(config QueueConfig) (*Queue, error) {
	from, replyTo, err := config.prepare()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // lives longer than any call; Close ends it
	q := &Queue{
		compose: composer{
			templates: config.Templates, from: from, replyTo: replyTo,
			now: config.Now, random: config.Random,
		},
		transport: config.Transport,
		timeout:   config.Timeout,
		observe:   config.Observe,
		logger:    config.Logger,
		now:       config.Now,
		afterFunc: config.AfterFunc,
		backoff:   backoff{random: config.Random},
		ctx:       ctx,
		cancel:    cancel,
		ready:     make(chan *item, config.Capacity),
		closing:   make(chan struct{}),
		drained:   make(chan struct{}),
		closed:    make(chan struct{}),
		handing:   make(chan struct{}),
		waiting:   map[*item]func() bool{},
	}
	for range config.Workers {
		q.workers.Go(q.work)
	}
	return q, nil
}

// Enqueue takes a place in the queue and returns at once. The error is
// authcore.ErrMailQueueFull or ErrClosed, whatever the mail: a mail that turns
// out to be faulty is dropped with a line in the log.
func (q *Queue) Enqueue(ctx context.Context, mail authcore.LinkMail) error {
	q.mu.Lock()
	switch {
	case q.isShut:
		q.mu.Unlock()
		return ErrClosed
	case q.places >= cap(q.ready):
		q.mu.Unlock()
		q.logger.WarnContext(ctx, "mail queue full", "capacity", cap(q.ready))
		q.observe(Outcome{Result: Full})
		return authcore.ErrMailQueueFull
	}
	q.places++
	if !mail.Decoy {
		q.mails++
	}
	q.ready <- &item{mail: mail, queued: q.now()}
	q.mu.Unlock()
	return nil
}

// Len returns how many places are taken.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.places
}

// finish frees the place of an item.
func (q *Queue) finish(it *item, result Result) {
	q.mu.Lock()
	q.places--
	if !it.mail.Decoy {
		q.mails--
	}
	q.signalIfDrained()
	q.mu.Unlock()
	q.report(it, result)
}

// report tells the observer; decoys are nobody's mail.
func (q *Queue) report(it *item, result Result) {
	if !it.mail.Decoy {
		q.observe(Outcome{Result: result, Attempts: it.attempts, Age: q.now().Sub(it.queued)})
	}
}

// putBack makes an item ready again after a pause. It holds no worker.
func (q *Queue) putBack(it *item, pause time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting[it] = q.afterFunc(pause, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if _, waits := q.waiting[it]; waits { // else Close was faster
			delete(q.waiting, it)
			q.ready <- it
		}
	})
}

var _ authcore.Mailer = (*Queue)(nil)

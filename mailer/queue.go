package mailer

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// Queue holds mails until they are delivered, refused or expired. It implements
// authcore.Mailer and is safe for concurrent use.
//
// Mails that were not attempted yet and mails that wait for another attempt have
// separate budgets, the latter also for each recipient domain. A domain that defers
// or is slow therefore never keeps the queue from accepting mail for others.
//
// A Queue copies what it needs from its QueueConfig: after a change of the
// configuration the old Queue can be closed while a new one accepts mail.
type Queue struct {
	compose   composer
	transport Transport
	limits    limits
	delay     time.Duration
	observe   func(Outcome)
	logger    *slog.Logger
	now       func() time.Time
	afterFunc func(time.Duration, func()) func() bool

	// ctx ends when Close stops waiting; attempts end with it.
	ctx      context.Context //nolint:containedctx // the life of the queue, not of a call
	cancel   context.CancelFunc
	attempts sync.WaitGroup

	// closing is closed when Close or HandOver begins, drained when no mail is left
	// afterwards, closed when the call returns.
	closing, drained, closed chan struct{}

	mu sync.Mutex
	// fresh and due hold the items that are ready for their first and for another
	// attempt. dueNext alternates between them.
	fresh, due lanes
	dueNext    bool
	// waiting holds the items between two attempts, and those that were just
	// accepted, with the function that stops their timer.
	waiting map[*item]func() bool
	// retries holds the items that have a place in the retry budget: in waiting or
	// due. retryCount is their number.
	retries    lanes
	retryCount int
	// places counts items until the end of their first attempt, total all items,
	// mails those that are not decoys.
	places, total, mails int
	// running counts attempts that occupy a worker, slow those that took too long and
	// have released it. activeOf counts both by domain, slowOf the latter.
	running, slow    int
	activeOf, slowOf map[string]int
	// left are items whose attempt ended with ctx.
	left   []*item
	isShut bool
	// stopped prevents new attempts.
	stopped bool
	recent  attemptRecord
}

// limits are the sizes of a Queue.
type limits struct{ capacity, retries, retriesOfDomain, workers, slowWorkers int }

// item is a mail in the queue.
type item struct {
	mail     authcore.Mail
	domain   string
	stamp    stamp
	queued   time.Time
	attempts int
	// hasPlace is set until the first attempt ends.
	hasPlace bool
}

// NewQueue checks the configuration. Close ends the queue.
func NewQueue(config QueueConfig) (*Queue, error) {
	from, replyTo, err := config.prepare()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // lives longer than any call; Close ends it
	return &Queue{
		compose: composer{
			templates: config.Templates, from: from, replyTo: replyTo, dkim: config.DKIM,
			now: config.Now,
		},
		transport: config.Transport,
		limits: limits{
			capacity: config.Capacity, retries: config.Retries, retriesOfDomain: config.RetriesOfDomain,
			workers: config.Workers, slowWorkers: config.SlowWorkers,
		},
		delay:     config.Delay,
		observe:   config.Observe,
		logger:    config.Logger,
		now:       config.Now,
		afterFunc: config.AfterFunc,
		ctx:       ctx,
		cancel:    cancel,
		closing:   make(chan struct{}),
		drained:   make(chan struct{}),
		closed:    make(chan struct{}),
		fresh:     newLanes(),
		due:       newLanes(),
		retries:   newLanes(),
		waiting:   map[*item]func() bool{},
		activeOf:  map[string]int{},
		slowOf:    map[string]int{},
	}, nil
}

// Enqueue accepts a mail and returns immediately. The first attempt begins a moment
// later, after the caller has responded to its client: rendering and delivery would
// otherwise delay the response. The error is authcore.ErrMailQueueFull or ErrClosed;
// an invalid mail is logged and dropped later.
func (q *Queue) Enqueue(ctx context.Context, mail authcore.Mail) error {
	it := &item{mail: mail, queued: q.now(), hasPlace: true, domain: domainOf(mail.To)}
	q.mu.Lock()
	switch {
	case q.isShut:
		q.mu.Unlock()
		return ErrClosed
	case q.places >= q.capacityFor(mail):
		q.mu.Unlock()
		q.logger.WarnContext(ctx, "mail queue full", "capacity", q.limits.capacity)
		q.observe(Outcome{Result: Full})
		return authcore.ErrMailQueueFull
	}
	defer q.mu.Unlock()
	q.places++
	q.total++
	if !mail.Decoy {
		q.mails++
	}
	if q.delay <= 0 {
		q.makeReady(it)
		q.dispatch() //nolint:contextcheck // deliveries have the context of the queue
		return nil
	}
	q.wait(it, q.delay+share(q.delay))
	return nil
}

// capacityFor returns the number of places that a mail may use. Half of them are kept
// for mails that users wait for.
func (q *Queue) capacityFor(mail authcore.Mail) int {
	if mail.Kind.IsNotice() {
		return q.limits.capacity / 2
	}
	return q.limits.capacity
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return strings.ToLower(domain)
}

// Len returns the number of mails in the queue.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total
}

// wait makes an item ready after a pause. The caller holds the lock.
func (q *Queue) wait(it *item, pause time.Duration) {
	q.waiting[it] = q.afterFunc(pause, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if _, waits := q.waiting[it]; waits { // otherwise Close was faster
			delete(q.waiting, it)
			q.makeReady(it)
			q.dispatch()
		}
	})
}

// makeReady puts an item in line for its next attempt. The caller holds the lock.
func (q *Queue) makeReady(it *item) {
	switch {
	case !it.hasPlace:
		q.due.push(it)
	case q.isBlocked(it.domain):
		q.putBack(it, firstPause)
	default:
		q.fresh.push(it)
	}
}

// putBack gives an item a place in the retry budget and lets it wait. If the budget
// of its domain is used up, the oldest item of the domain is dropped: its link is
// the first to expire. If the whole budget is used up, the same applies to the
// largest domain. The caller holds the lock.
func (q *Queue) putBack(it *item, pause time.Duration) {
	if it.hasPlace {
		it.hasPlace = false
		q.places--
	}
	switch {
	case len(q.retries.items[it.domain]) >= q.limits.retriesOfDomain:
		q.displace(it.domain)
	case q.retryCount >= q.limits.retries:
		q.displace(q.retries.largest())
	}
	q.retries.push(it)
	q.retryCount++
	q.wait(it, pause)
}

// displace drops the oldest retry of a domain. The caller holds the lock.
func (q *Queue) displace(domain string) {
	it := q.retries.items[domain][0]
	q.leaveRetries(it)
	if stop, waits := q.waiting[it]; waits {
		stop()
		delete(q.waiting, it)
	}
	q.due.remove(it)
	q.forget(it)
	q.report(it, Dropped)
	q.logger.WarnContext(q.ctx, "mail displaced by newer mail", "attempts", it.attempts)
}

func (q *Queue) leaveRetries(it *item) {
	if q.retries.remove(it) {
		q.retryCount--
	}
}

// finish removes an item.
func (q *Queue) finish(it *item, result Result) {
	q.mu.Lock()
	q.forget(it)
	q.mu.Unlock()
	q.report(it, result)
}

// forget removes an item from the counts. The caller holds the lock.
func (q *Queue) forget(it *item) {
	if it.hasPlace {
		it.hasPlace = false
		q.places--
	}
	q.total--
	if !it.mail.Decoy {
		q.mails--
	}
	q.signalIfDrained()
}

// report calls the observer, except for decoys.
func (q *Queue) report(it *item, result Result) {
	if !it.mail.Decoy {
		q.observe(Outcome{Result: result, Attempts: it.attempts, Age: q.now().Sub(it.queued)})
	}
}

var _ authcore.Mailer = (*Queue)(nil)

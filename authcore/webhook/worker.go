package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// settle is the age at which a message is sent, so that the messages of other nodes
	// about the same user are stored.
	settle = time.Second
	// pageSize and maxPages limit the messages that one pass examines.
	pageSize, maxPages = 100, 10
	// leaseTime is the time for which a node may send to an endpoint.
	leaseTime = 30 * time.Second
	// stepTimeout limits a step of the store that begins when a node ends.
	stepTimeout = 2 * time.Second
	// firstPause doubles after each attempt, up to longestPause for a message and
	// longestEndpointPause for an endpoint.
	firstPause           = 5 * time.Second
	longestPause         = 10 * time.Minute
	longestEndpointPause = time.Minute
	// maxFailures is the number of consecutive failures after which the endpoint is
	// considered to be down.
	maxFailures = 3
)

var (
	errRequest    = errors.New("creating the request failed")
	errNoResponse = errors.New("the endpoint did not respond")
	errHeld       = errors.New("another node holds the lease")
)

// worker sends to one endpoint. Its methods are called by one goroutine.
type worker struct {
	*Sender
	endpoint *Endpoint
	id, node string
	// cursor is the place at which the next pass continues, or "" for the oldest message.
	cursor string
	// waiting contains the users whose messages wait, up to cursor.
	waiting map[string]bool
	// failures counts consecutive failures. No message is sent until paused.
	failures int
	paused   time.Time
	// leased is the end of the lease of this node.
	leased  time.Time
	failing bool
	// accepted is the time of the last accepted message, until it is stored.
	accepted time.Time
	// measured is the time of the last measurement, backlog its result.
	measured time.Time
	backlog  atomic.Pointer[Backlog]
}

func (w *worker) run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			w.release(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			w.step(ctx)
		}
	}
}

// step sends what is due, and measures the backlog from time to time.
func (w *worker) step(ctx context.Context) {
	err := w.pass(ctx)
	w.report(ctx, errors.Join(err, w.storeSuccess(ctx), w.measure(ctx)))
}

// report logs the first failure of several.
func (w *worker) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !w.failing:
		w.cfg.Logger.ErrorContext(ctx, "sending webhooks failed; retrying", "endpoint", w.endpoint.origin(), "error", err)
		w.failing = true
	case err == nil && w.failures == 0:
		w.failing = false
	}
}

// pass sends what is due, oldest first. A message of a user waits for the earlier ones of
// the same user. If there are more messages than one pass examines, the next pass
// continues: those of one user do not hide the messages of others. The error is the last
// failure.
func (w *worker) pass(ctx context.Context) error {
	if w.now().Before(w.paused) {
		return nil
	}
	var last error
	for range maxPages {
		if w.cursor == "" {
			w.waiting = map[string]bool{}
		}
		filter := authcore.RecordFilter{Kind: Kind, Owner: dueOwner + w.id, Limit: pageSize}
		records, next, err := w.cfg.Store.ListRecords(ctx, filter, w.now(), w.cursor)
		if err != nil {
			return err
		}
		w.cursor = "" // unless all of the page was handled
		for _, record := range records {
			more, err := w.handle(ctx, record)
			if err != nil {
				last = err
			}
			if !more || ctx.Err() != nil {
				return last
			}
		}
		if w.cursor = next; next == "" {
			break
		}
	}
	return last
}

// handle sends a message if it is due, and reports whether later ones may be sent.
func (w *worker) handle(ctx context.Context, record authcore.Record) (more bool, err error) {
	m, err := readMessage(record, w.id)
	if err != nil {
		w.attempted(ResultDamaged)
		return true, w.bury(ctx, record)
	}
	now := w.now()
	switch {
	case now.Sub(m.Time) < settle:
		return false, nil
	case w.waiting[m.User]:
		return true, nil
	case now.Before(m.Next):
		w.waiting[m.User] = true
		return true, nil
	}
	if held, err := w.lease(ctx); !held {
		return false, err
	}
	refused, sendErr := w.send(ctx, m)
	if sendErr == nil {
		w.attempted(ResultSent)
		w.failures, w.accepted = 0, w.now()
		// From here on, finish: otherwise the message would be sent again.
		deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
		defer cancel()
		return true, w.cfg.Store.DeleteRecord(deleting, record.RecordKey)
	}
	if ctx.Err() != nil { // the attempt was interrupted
		return false, sendErr
	}
	m.Attempts++
	m.Error = sendErr.Error()
	m.Next = now.Add(pause(m.Attempts, longestPause))
	if record.Data, err = json.Marshal(m); err != nil {
		return false, err
	}
	if result := resultOf(refused, now.Sub(m.Since)); result != ResultRetried {
		w.attempted(result)
		w.failures = 0
		return true, errors.Join(sendErr, w.bury(ctx, record))
	}
	w.attempted(ResultRetried)
	w.waiting[m.User] = true
	if w.failures++; w.failures >= maxFailures {
		w.paused = now.Add(pause(w.failures-maxFailures+1, longestEndpointPause))
	}
	_, err = w.cfg.Store.UpdateRecord(ctx, record.RecordKey, now, func(stored *authcore.Record) error {
		stored.Data = record.Data
		return nil
	})
	return w.failures < maxFailures, errors.Join(sendErr, err)
}

// pause returns the pause after this many attempts.
func pause(attempts int, longest time.Duration) time.Duration {
	return min(longest, firstPause<<min(attempts-1, 16))
}

// bury makes a message a dead letter. If the node is killed between the two steps, the
// message is sent again.
func (w *worker) bury(ctx context.Context, record authcore.Record) error {
	now := w.now()
	dead := record
	dead.Key, dead.Owner, dead.Created, dead.Expires = deadOwner+record.Key, deadOwner+w.id, now, now.Add(keepDead)
	if err := w.cfg.Store.PutRecord(ctx, dead, authcore.PutOptions{Now: now}); err != nil {
		return err
	}
	return w.cfg.Store.DeleteRecord(ctx, record.RecordKey)
}

// release ends the lease of this node, so that another one continues immediately.
func (w *worker) release(ctx context.Context) {
	if !w.now().Before(w.leased) {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if err := w.cfg.Store.DeleteRecord(bounded, w.leaseKey()); err != nil {
		w.cfg.Logger.WarnContext(ctx, "releasing the lease of webhooks failed", "error", err)
	}
	w.leased = time.Time{}
}

func (w *worker) leaseKey() authcore.RecordKey {
	return authcore.RecordKey{Kind: Kind, Key: "lease:" + w.id}
}

// lease reports whether this node may send to the endpoint, and extends its lease.
func (w *worker) lease(ctx context.Context) (bool, error) {
	now := w.now()
	if w.leased.Sub(now) > leaseTime/2+sendTimeout/2 {
		return true, nil
	}
	key := w.leaseKey()
	ends := now.Add(leaseTime)
	_, err := w.cfg.Store.UpdateRecord(ctx, key, now, func(record *authcore.Record) error {
		if string(record.Data) != w.node {
			return errHeld
		}
		record.Expires = ends
		return nil
	})
	if errors.Is(err, authcore.ErrNotFound) {
		record := authcore.Record{RecordKey: key, Created: now, Expires: ends, Data: []byte(w.node)}
		err = w.cfg.Store.PutRecord(ctx, record, authcore.PutOptions{Now: now, IfAbsent: true})
	}
	switch {
	case errors.Is(err, errHeld), errors.Is(err, authcore.ErrExists):
		w.leased = time.Time{}
		return false, nil
	case err != nil:
		return false, err
	}
	w.leased = ends
	return true, nil
}

package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// measureInterval is the time between two measurements of the backlog.
	measureInterval = 15 * time.Second
	// keepSuccess is the time for which the last success of an endpoint is known.
	keepSuccess = 365 * 24 * time.Hour
)

// Result is the result of an attempt to deliver a message.
type Result string

// All results. After the last three, the message is a dead letter.
const (
	// ResultSent reports that the endpoint accepted the message.
	ResultSent Result = "sent"
	// ResultRetried reports a failure after which the message is sent again.
	ResultRetried Result = "retried"
	// ResultRejected reports that the endpoint refused the message.
	ResultRejected Result = "rejected"
	// ResultExpired reports a message that was not accepted for three days.
	ResultExpired Result = "expired"
	// ResultDamaged reports a message that cannot be read.
	ResultDamaged Result = "damaged"
)

// Results lists all results.
func Results() []Result {
	return []Result{ResultSent, ResultRetried, ResultRejected, ResultExpired, ResultDamaged}
}

// resultOf returns the result of an attempt that failed.
func resultOf(refused bool, age time.Duration) Result {
	switch {
	case refused:
		return ResultRejected
	case age >= giveUp:
		return ResultExpired
	}
	return ResultRetried
}

func (w *worker) attempted(result Result) { w.cfg.Attempted(w.id, result) }

// Backlog counts the messages of an endpoint, up to 1000 of each.
type Backlog struct {
	Endpoint      string
	Waiting, Dead int
	// Oldest is the time of the oldest waiting message, or zero.
	Oldest time.Time
}

// Backlogs returns the backlogs of the endpoints as measured by Run, without I/O. An
// endpoint appears after its first measurement.
func (s *Sender) Backlogs() []Backlog {
	var backlogs []Backlog
	for _, w := range s.workers {
		if measured := w.backlog.Load(); measured != nil {
			backlogs = append(backlogs, *measured)
		}
	}
	return backlogs
}

// measure measures the backlog if the last measurement is old.
func (w *worker) measure(ctx context.Context) error {
	now := w.now()
	if now.Sub(w.measured) < measureInterval {
		return nil
	}
	backlog, _, err := w.count(ctx)
	if err != nil {
		return err
	}
	w.measured = now
	w.backlog.Store(&backlog)
	return nil
}

// count counts the messages of the endpoint. It also returns the last failure of the
// oldest waiting message.
func (w *worker) count(ctx context.Context) (Backlog, string, error) {
	backlog := Backlog{Endpoint: w.id}
	list := func(owner string) ([]authcore.Record, error) {
		filter := authcore.RecordFilter{Kind: Kind, Owner: owner + w.id, Limit: maxCounted}
		records, _, err := w.cfg.Store.ListRecords(ctx, filter, w.now(), "")
		return records, err
	}
	due, err := list(dueOwner)
	if err != nil {
		return backlog, "", err
	}
	dead, err := list(deadOwner)
	if err != nil {
		return backlog, "", err
	}
	backlog.Waiting, backlog.Dead = len(due), len(dead)
	var oldest message
	if len(due) > 0 && json.Unmarshal(due[0].Data, &oldest) == nil {
		backlog.Oldest = oldest.Time
	}
	return backlog, oldest.Error, nil
}

func (w *worker) successKey() authcore.RecordKey {
	return authcore.RecordKey{Kind: Kind, Key: "success:" + w.id}
}

// storeSuccess stores the time of the last accepted message, for all nodes.
func (w *worker) storeSuccess(ctx context.Context) error {
	if w.accepted.IsZero() {
		return nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	record := authcore.Record{RecordKey: w.successKey(), Created: w.accepted, Expires: w.accepted.Add(keepSuccess)}
	if err := w.cfg.Store.PutRecord(bounded, record, authcore.PutOptions{Now: w.now()}); err != nil {
		return err
	}
	w.accepted = time.Time{}
	return nil
}

// lastSuccess returns the time of the last accepted message, or zero.
func (w *worker) lastSuccess(ctx context.Context) (time.Time, error) {
	record, err := w.cfg.Store.Record(ctx, w.successKey(), w.now())
	if errors.Is(err, authcore.ErrNotFound) {
		return time.Time{}, nil
	}
	return record.Created, err
}

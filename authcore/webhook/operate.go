package webhook

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxCounted limits the messages that Status counts.
const maxCounted = 1000

// Status is the state of an endpoint.
type Status struct {
	ID string `json:"id"`
	// Endpoint is the origin of the URL.
	Endpoint string               `json:"endpoint"`
	Actions  []authcore.EventName `json:"actions"`
	// Waiting and Dead count messages, up to 1000.
	Waiting int `json:"waiting"`
	Dead    int `json:"dead"`
	// Oldest is the time of the oldest waiting message.
	Oldest time.Time `json:"oldest,omitzero"`
	// LastSuccess is the time at which the endpoint last accepted a message.
	LastSuccess time.Time `json:"last_success,omitzero"`
	// Error is the last failure of the oldest waiting message.
	Error string `json:"error,omitempty"`
}

// DeadLetter is a message that was given up. A damaged one has neither action, user nor
// time.
type DeadLetter struct {
	ID       string             `json:"id"`
	Action   authcore.EventName `json:"action,omitempty"`
	User     string             `json:"user,omitempty"`
	Time     time.Time          `json:"time,omitzero"`
	Attempts int                `json:"attempts"`
	Error    string             `json:"error"`
	// Given is the time at which the message was given up.
	Given time.Time `json:"given_up"`
}

// Status returns the state of all endpoints.
func (s *Sender) Status(ctx context.Context) ([]Status, error) {
	states := make([]Status, 0, len(s.workers))
	for _, w := range s.workers {
		backlog, failure, err := w.count(ctx)
		if err != nil {
			return nil, authcore.Unavailable(err)
		}
		success, err := w.lastSuccess(ctx)
		if err != nil {
			return nil, authcore.Unavailable(err)
		}
		states = append(states, Status{
			ID: w.id, Endpoint: w.endpoint.origin(), Actions: append([]authcore.EventName{}, w.endpoint.Actions...),
			Waiting: backlog.Waiting, Dead: backlog.Dead, Oldest: backlog.Oldest, LastSuccess: success, Error: failure,
		})
	}
	return states, nil
}

// DeadLetters returns a page of the dead letters of an endpoint, the newest first, and the
// cursor of the next page. The error is a 404 if there is no such endpoint.
func (s *Sender) DeadLetters(ctx context.Context, endpoint string, limit int, cursor string) ([]DeadLetter, string, error) {
	if s.worker(endpoint) == nil {
		return nil, "", authcore.NotFound()
	}
	filter := authcore.RecordFilter{Kind: Kind, Owner: deadOwner + endpoint, Limit: limit}
	records, next, err := s.cfg.Store.ListRecords(ctx, filter, s.now(), cursor)
	if err != nil {
		return nil, "", authcore.Unavailable(err)
	}
	letters := []DeadLetter{}
	for _, record := range records {
		m, _ := readMessage(record, endpoint) // m.Error describes the fault
		letters = append(letters, DeadLetter{
			ID: m.ID, Action: m.Action, User: m.User, Time: m.Time, Attempts: m.Attempts, Error: m.Error, Given: record.Created,
		})
	}
	return letters, next, nil
}

// Retry sends a dead letter again, in its place among the waiting messages. The error is
// 404 for an unknown message, and 409 for a damaged one.
func (s *Sender) Retry(ctx context.Context, endpoint, id string) error {
	key, err := s.deadKey(endpoint, id)
	if err != nil {
		return err
	}
	record, err := s.cfg.Store.Record(ctx, key, s.now())
	if err != nil {
		return notFound(err)
	}
	m, err := readMessage(record, endpoint)
	if err != nil {
		return &authcore.Error{Status: http.StatusConflict, Code: authcore.CodeInvalidRequest, Detail: "The stored message is damaged. Discard it."}
	}
	m.Attempts, m.Since, m.Next = 0, s.now(), time.Time{}
	due, err := m.record(endpoint)
	if err != nil {
		return authcore.Unavailable(err)
	}
	due.Expires = s.now().Add(keepDue)
	if err := s.cfg.Store.PutRecord(ctx, due, authcore.PutOptions{Now: s.now()}); err != nil {
		return authcore.Unavailable(err)
	}
	return notFound(s.cfg.Store.DeleteRecord(ctx, key))
}

// Discard deletes a dead letter. The error is a 404 if there is no such message.
func (s *Sender) Discard(ctx context.Context, endpoint, id string) error {
	key, err := s.deadKey(endpoint, id)
	if err != nil {
		return err
	}
	if _, err := s.cfg.Store.Record(ctx, key, s.now()); err != nil {
		return notFound(err)
	}
	return notFound(s.cfg.Store.DeleteRecord(ctx, key))
}

func (s *Sender) worker(endpoint string) *worker {
	for _, w := range s.workers {
		if w.id == endpoint {
			return w
		}
	}
	return nil
}

// deadKey returns the key of a dead letter.
func (s *Sender) deadKey(endpoint, id string) (authcore.RecordKey, error) {
	if s.worker(endpoint) == nil || !strings.HasPrefix(id, "msg_") {
		return authcore.RecordKey{}, authcore.NotFound()
	}
	return authcore.RecordKey{Kind: Kind, Key: deadOwner + endpoint + ":" + id}, nil
}

// notFound returns the public error of a step of the store.
func notFound(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, authcore.ErrNotFound):
		return authcore.NotFound()
	default:
		return authcore.Unavailable(err)
	}
}

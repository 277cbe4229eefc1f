package webhook

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/audit"
)

// Kind is the kind of the records of messages and leases.
const Kind = "webhook"

// The owners of records begin with their state and end with the ID of the endpoint.
const (
	dueOwner  = "due:"
	deadOwner = "dead:"
)

const (
	// giveUp is the time after which a message that was never accepted is a dead letter.
	giveUp = 3 * 24 * time.Hour
	// keepDue and keepDead are the lifetimes of records.
	keepDue  = 30 * 24 * time.Hour
	keepDead = 30 * 24 * time.Hour
)

// Body is the body of a message.
type Body struct {
	// Type is the action of the entry.
	Type      authcore.EventName `json:"type"`
	Timestamp time.Time          `json:"timestamp"`
	Data      audit.Entry        `json:"data"`
}

// message is the content of a record.
type message struct {
	ID       string             `json:"id"`
	Action   authcore.EventName `json:"action"`
	User     string             `json:"user,omitempty"`
	Time     time.Time          `json:"time"`
	Body     json.RawMessage    `json:"body"`
	Attempts int                `json:"attempts,omitempty"`
	// Since is the time from which giveUp counts.
	Since time.Time `json:"since"`
	// Next is the time of the next attempt.
	Next time.Time `json:"next,omitzero"`
	// Error describes the last failure.
	Error string `json:"error,omitempty"`
}

// errDamaged is the fault of a record that contains no message.
var errDamaged = errors.New("the stored message is damaged; discard it")

// readMessage returns the message of a record of an endpoint. A record that cannot be
// read has a message with the ID of its key, by which it can be discarded, and errDamaged.
func readMessage(record authcore.Record, endpoint string) (message, error) {
	id := strings.TrimPrefix(strings.TrimPrefix(record.Key, deadOwner), endpoint+":")
	var m message
	if json.Unmarshal(record.Data, &m) != nil || m.ID != id || !json.Valid(m.Body) {
		return message{ID: id, Error: errDamaged.Error()}, errDamaged
	}
	return m, nil
}

// mirrored mirrors a time at the year 2100: the listing of records begins with the newest,
// and messages are sent oldest first. The mirrored times of the next decades are valid in
// all engines.
func mirrored(at time.Time) time.Time {
	pivot := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	return pivot.Add(pivot.Sub(at))
}

// record returns the record of a message that is due.
func (m message) record(endpoint string) (authcore.Record, error) {
	data, err := json.Marshal(m)
	record := authcore.Record{
		RecordKey: authcore.RecordKey{Kind: Kind, Key: endpoint + ":" + m.ID}, Owner: dueOwner + endpoint,
		Created: mirrored(m.Time), Expires: m.Time.Add(keepDue), Data: data,
	}
	if err != nil {
		return record, err
	}
	return record, record.Validate()
}

// Items returns what has to be stored in the step of an entry. A message that is too
// large to be stored is left out.
func (s *Sender) Items(entry audit.Entry) []authcore.Item {
	var items []authcore.Item
	for _, w := range s.workers {
		if !w.endpoint.selects(entry.Action) {
			continue
		}
		body, err := json.Marshal(Body{Type: entry.Action, Timestamp: entry.Time, Data: entry})
		if err != nil {
			continue
		}
		m := message{ID: "msg_" + entry.ID, Action: entry.Action, User: entry.User, Time: entry.Time, Since: entry.Time, Body: body}
		if record, err := m.record(w.id); err == nil {
			items = append(items, authcore.Item{Record: &record})
		}
	}
	return items
}

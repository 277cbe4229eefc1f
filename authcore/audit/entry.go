package audit

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// Kind is the kind of the records of the trail.
const Kind = "audit"

// Actor is the kind of the party that acted.
type Actor string

// The actors.
const (
	// ActorUser is the user concerned.
	ActorUser Actor = "user"
	// ActorOperator is an operator; see Entry.ActorID and Entry.Via.
	ActorOperator Actor = "operator"
	// ActorClient is the sender of a request without a login.
	ActorClient Actor = "client"
	// ActorSystem is the realm itself.
	ActorSystem Actor = "system"
)

// The outcomes of actions.
const (
	Success = "success"
	Failure = "failure"
)

// Entry is one entry of the trail. It contains no secret.
type Entry struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	// Realm is the name of the realm; "" is the default one.
	Realm string `json:"realm,omitempty"`
	// Action is the name of an event.
	Action  authcore.EventName `json:"action"`
	Outcome string             `json:"outcome"`
	Actor   Actor              `json:"actor"`
	// ActorID is the ID of a user. For an operator at OperatorEndpoint it is the name
	// that the caller chose, or "".
	ActorID string `json:"actor_id,omitempty"`
	// Via is the place at which an operator acted.
	Via authcore.OperatorSource `json:"via,omitempty"`
	// User is the ID of the user concerned.
	User string `json:"user,omitempty"`
	// Session is the ID of a session or of an API key.
	Session string `json:"session,omitempty"`
	Method  string `json:"method,omitempty"`
	Client  string `json:"client,omitempty"`
	// Code is the reason of a failure.
	Code authcore.Code `json:"code,omitempty"`
	// IP is the network of the client, or its address under Options.Addresses.
	IP string `json:"ip,omitempty"`
	// Email is the e-mail address concerned, under Options.Emails.
	Email string `json:"email,omitempty"`
	// Detail names the object of the action, for example roles, or an ID.
	Detail string `json:"detail,omitempty"`
	// Count is the number of equal events that share the entry, if it is not 1.
	Count int `json:"count,omitempty"`
}

// The lengths of the prefixes that identify the network of a client.
const networkIPv4, networkIPv6 = 24, 48

// entryOf returns the entry of an event, without ID and time.
func (t *Trail) entryOf(ctx context.Context, event authcore.Event) Entry {
	entry := Entry{
		Realm: t.cfg.Realm, Action: event.Name, Outcome: Success, Actor: ActorClient, User: event.UserID, Session: event.SessionID,
		Method: event.Method, Client: event.Client, Code: event.Code, Detail: event.Detail,
	}
	if event.Code != "" {
		entry.Outcome = Failure
	}
	switch source := authcore.SourceOfOperator(ctx); {
	case source != "":
		entry.Actor, entry.ActorID, entry.Via = ActorOperator, authcore.Operator(ctx), source
	case event.Name == authcore.EventReuse, event.Name == authcore.EventFactorFailed:
		// The sender holds a stolen token or a first factor, or is the user.
	case event.Name == authcore.EventRolesChanged:
		entry.Actor = ActorSystem
	case event.UserID != "":
		entry.Actor, entry.ActorID = ActorUser, event.UserID
	}
	entry.IP = t.addressOf(authcore.ClientIP(ctx))
	if t.cfg.Emails {
		entry.Email = string(event.Email)
	}
	return entry
}

// addressOf returns what is recorded of the address of a client.
func (t *Trail) addressOf(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	ip = ip.Unmap().WithZone("")
	if t.cfg.Addresses {
		return ip.String()
	}
	bits := networkIPv6
	if ip.Is4() {
		bits = networkIPv4
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return network.String()
}

// ownerPrefix begins the owner of the entries about a user. The deletion of the user
// deletes records whose owner is the user's ID, so that these entries stay.
const ownerPrefix = "user:"

// record returns the stored form of an entry. An ID of a user that cannot be an owner is
// left out of the index.
func (e Entry) record(retention time.Duration) (authcore.Record, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return authcore.Record{}, err
	}
	record := authcore.Record{
		RecordKey: authcore.RecordKey{Kind: Kind, Key: e.ID}, Created: e.Time, Expires: e.Time.Add(retention), Data: data,
	}
	if e.User != "" {
		record.Owner = ownerPrefix + e.User
	}
	if record.Validate() != nil {
		record.Owner = ""
	}
	return record, record.Validate()
}

// RecordKind describes the entries about users, which outlive them. The export of a user
// does not name the operators who acted.
func RecordKind() account.RecordKind {
	return account.RecordKind{
		Kind: Kind, Outlives: true, Owner: func(user authcore.User) string { return ownerPrefix + user.ID },
		Fields: []string{"action", "outcome", "actor", "session", "method", "client", "code", "ip", "email", "detail", "count"},
	}
}

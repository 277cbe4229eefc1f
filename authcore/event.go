package authcore

import (
	"context"
	"slices"
)

// EventName names a kind of event.
type EventName string

// The events.
const (
	EventLinkRequested EventName = "link_requested"
	EventLogin         EventName = "login"
	EventSignup        EventName = "signup"
	EventLoginFailed   EventName = "login_failed"
	EventLinked        EventName = "identity_linked"
	EventUnlinked      EventName = "identity_unlinked"
	// EventPasskeyAdded and EventPasskeyRemoved report changes of a user's passkeys.
	EventPasskeyAdded   EventName = "passkey_added"
	EventPasskeyRemoved EventName = "passkey_removed"
	// EventEmailChanged reports that a user changed the address of the account.
	EventEmailChanged EventName = "email_changed"
	EventRefresh      EventName = "token_refreshed"
	EventReuse        EventName = "token_reused"
	EventLogout       EventName = "logout"
	EventUserDisabled EventName = "user_disabled"
	EventUserEnabled  EventName = "user_enabled"
	EventUserDeleted  EventName = "user_deleted"
	// EventKeyCreated and EventKeyRevoked report an API key, whose ID is SessionID.
	EventKeyCreated EventName = "key_created"
	EventKeyRevoked EventName = "key_revoked"
	// EventUserCreated reports that an operator created a user.
	EventUserCreated EventName = "user_created"
	// EventInvited and EventInvitationRevoked report that an operator invited the owner
	// of an address, and withdrew the invitation.
	EventInvited           EventName = "user_invited"
	EventInvitationRevoked EventName = "invitation_revoked"
	// EventRolesGranted reports that an operator changed the roles of a user.
	EventRolesGranted EventName = "roles_granted"
	// EventRolesChanged reports that a login changed the roles of a user: through the
	// configuration or a provider.
	EventRolesChanged EventName = "roles_changed"
	// EventFactorAsked reports a first factor that was proven and does not suffice.
	EventFactorAsked EventName = "second_factor_asked"
	// EventFactorProven reports the code of a second factor that was accepted, and
	// EventFactorFailed a wrong one.
	EventFactorProven  EventName = "second_factor_proven"
	EventFactorFailed  EventName = "second_factor_failed"
	EventFactorAdded   EventName = "factor_added"
	EventFactorRemoved EventName = "factor_removed"
	// EventKeysRotated and EventSigningKeyRevoked report that an operator changed the
	// signing keys.
	EventKeysRotated       EventName = "signing_keys_rotated"
	EventSigningKeyRevoked EventName = "signing_key_revoked"
	// EventImported and EventBackup report that an operator imported users, and copied
	// the store.
	EventImported EventName = "users_imported"
	EventBackup   EventName = "backup_created"
	// EventWebhookRetried and EventWebhookDiscarded report that an operator sent a dead
	// letter again, or deleted it.
	EventWebhookRetried   EventName = "webhook_retried"
	EventWebhookDiscarded EventName = "webhook_discarded"
)

// EventNames returns the names of all events.
func EventNames() []EventName {
	return []EventName{
		EventLinkRequested, EventLogin, EventSignup, EventLoginFailed, EventLinked, EventUnlinked,
		EventPasskeyAdded, EventPasskeyRemoved, EventEmailChanged, EventRefresh, EventReuse, EventLogout,
		EventUserDisabled, EventUserEnabled, EventUserDeleted, EventKeyCreated, EventKeyRevoked, EventUserCreated,
		EventInvited, EventInvitationRevoked, EventRolesGranted, EventRolesChanged,
		EventFactorAsked, EventFactorProven, EventFactorFailed, EventFactorAdded, EventFactorRemoved, EventKeysRotated, EventSigningKeyRevoked,
		EventImported, EventBackup, EventWebhookRetried, EventWebhookDiscarded,
	}
}

// IsKnown reports whether an event has this name.
func (n EventName) IsKnown() bool { return slices.Contains(EventNames(), n) }

// PrivateText is text that does not belong in logs. Package fmt prints a placeholder.
type PrivateText string

// String returns a placeholder.
func (PrivateText) String() string { return "[private]" }

// GoString returns a placeholder.
func (PrivateText) GoString() string { return "[private]" }

// Event is an event for metrics, audit and hooks. It contains no secret, and no e-mail
// address other than Email. Method, Client and Code have few values, all of them from
// the configuration or this package.
type Event struct {
	Name EventName
	// Method is "link", "code", "passkey" or the name of a provider; "" if unknown.
	Method string
	// Client is the name of a client; "" if unknown.
	Client string
	// UserID is the user concerned; "" if unknown. Not for metric labels.
	UserID string
	// SessionID is the session concerned; "" if it is not exactly one.
	SessionID string
	// Code is the reason of a failure.
	Code Code
	// Detail names the object of the event, for example roles, or an ID. Not for
	// metric labels.
	Detail string
	// Email is the e-mail address concerned, for the audit trail if the realm records
	// addresses; "" if unknown.
	Email PrivateText
}

// Observer returns a function that receives events, or one that drops them if it is nil.
func Observer(observe func(context.Context, Event)) func(context.Context, Event) {
	if observe == nil {
		return func(context.Context, Event) {}
	}
	return observe
}

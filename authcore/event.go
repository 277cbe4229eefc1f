package authcore

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
	// EventFactorAsked reports a first factor that was proven and does not suffice.
	EventFactorAsked   EventName = "second_factor_asked"
	EventFactorAdded   EventName = "factor_added"
	EventFactorRemoved EventName = "factor_removed"
)

// Event is an event for metrics, audit and hooks. It contains no secret and no e-mail
// address. Method, Client and Code have few values, all of them from the
// configuration or this package.
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
}

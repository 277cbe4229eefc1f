package authcore

// EventName names something that happened.
type EventName string

// The events.
const (
	EventLinkRequested EventName = "link_requested"
	EventLogin         EventName = "login"
	EventSignup        EventName = "signup"
	EventLoginFailed   EventName = "login_failed"
	EventLinked        EventName = "identity_linked"
	EventUnlinked      EventName = "identity_unlinked"
	EventRefresh       EventName = "token_refreshed"
	EventReuse         EventName = "token_reused"
	EventLogout        EventName = "logout"
	EventUserDisabled  EventName = "user_disabled"
	EventUserEnabled   EventName = "user_enabled"
	EventUserDeleted   EventName = "user_deleted"
)

// Event is something that happened, for metrics, audit and hooks. It holds no
// secret and no e-mail address; Method, Client and Code take few values, all of
// them from the configuration or this package.
type Event struct {
	Name EventName
	// Method is "link", "code" or the name of a provider; "" where unknown.
	Method string
	// Client is the name of a client; "" where unknown.
	Client string
	// UserID is the user concerned; "" where unknown. Not for metric labels.
	UserID string
	// SessionID is the session concerned; "" where there is none or several.
	SessionID string
	// Code says why something failed.
	Code Code
}

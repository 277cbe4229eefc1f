package mailer

import "time"

// Result is the result of a step in the life of a mail. The small number of results
// makes it usable as a metric label.
type Result string

// The results.
const (
	// Sent: the server accepted the mail.
	Sent Result = "sent"
	// Retried: delivery failed temporarily; another Outcome of the mail follows.
	Retried Result = "retried"
	// Rejected: the server refused the mail permanently.
	Rejected Result = "rejected"
	// Unknown: the mail was sent, but the server did not acknowledge it.
	Unknown Result = "unknown"
	// Expired: the link in the mail expired or was used before the delivery.
	Expired Result = "expired"
	// Dropped: the mail could not be rendered, was displaced by newer mail, or was left
	// when the queue closed.
	Dropped Result = "dropped"
	// Full: the queue was full and did not accept the mail.
	Full Result = "full"
)

// Outcome is a step in the life of a mail, for metrics.
type Outcome struct {
	Result Result
	// Attempts is the number of attempts so far.
	Attempts int
	// Age is the time since the mail was queued.
	Age time.Duration
}

package mailer

import "time"

// Result says what became of a mail. There are six, so that it can be a metric
// label.
type Result string

// The results.
const (
	// Sent: the other side took the mail.
	Sent Result = "sent"
	// Retried: delivery failed for now; another Outcome of the mail will follow.
	Retried Result = "retried"
	// Rejected: the other side refused the mail for good.
	Rejected Result = "rejected"
	// Expired: the link in the mail ended before the mail was delivered.
	Expired Result = "expired"
	// Dropped: the mail could not be rendered, or was left when the queue closed.
	Dropped Result = "dropped"
	// Full: the queue was full and did not take the mail.
	Full Result = "full"
)

// Outcome is a step in the life of a mail, for metrics.
type Outcome struct {
	Result Result
	// Attempts is how often delivery was tried so far.
	Attempts int
	// Age is the time since the mail was queued.
	Age time.Duration
}

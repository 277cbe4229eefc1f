package authcore

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// ErrMailQueueFull is returned if the queue accepts no more mail.
var ErrMailQueueFull = errors.New("mail queue full")

// Mailer accepts mail for delivery.
type Mailer interface {
	// Enqueue accepts a mail and returns immediately: delivery is asynchronous, so
	// that neither its duration nor its outcome affects a response. The error is
	// ErrMailQueueFull or reports that the mailer is closed. Notices are refused
	// earlier than mails that a user waits for.
	Enqueue(ctx context.Context, mail Mail) error
}

// MailKind selects the texts of a mail.
type MailKind string

// The kinds of Mail. Those below MailConfirmChange are notices for the owner of an
// account.
const (
	// MailLogin contains a login link and a code.
	MailLogin MailKind = ""
	// MailInvitation contains a link with which a new user signs up.
	MailInvitation MailKind = "invitation"
	// MailConfirmAddress contains a code that proves the new address of an account.
	MailConfirmAddress MailKind = "confirm_address"
	// MailConfirmChange contains a code that allows the change of the current address.
	MailConfirmChange MailKind = "confirm_change"
	// MailNewLogin reports a login through another method than before.
	MailNewLogin MailKind = "new_login"
	// MailLinked and MailUnlinked report an added and a removed login.
	MailLinked   MailKind = "login_added"
	MailUnlinked MailKind = "login_removed"
	// MailFactorAdded and MailFactorRemoved report an added and a removed second factor,
	// MailRecoveryUsed a login with a recovery code.
	MailFactorAdded   MailKind = "factor_added"
	MailFactorRemoved MailKind = "factor_removed"
	MailRecoveryUsed  MailKind = "recovery_used"
	// MailAddressChanged reports a changed address to the former one.
	MailAddressChanged MailKind = "address_changed"
	// MailAccountDeleted reports that the account was deleted.
	MailAccountDeleted MailKind = "account_deleted"
	// MailKeyCreated reports a new API key.
	MailKeyCreated MailKind = "key_created"
)

// IsNotice reports whether mails of this kind report what has happened, so that no
// user waits for them.
func (k MailKind) IsNotice() bool {
	switch k {
	case MailNewLogin, MailLinked, MailUnlinked, MailFactorAdded, MailFactorRemoved, MailRecoveryUsed,
		MailAddressChanged, MailAccountDeleted, MailKeyCreated:
		return true
	default:
		return false
	}
}

// Mail is a request to mail a link, a code or a notice.
type Mail struct {
	Kind MailKind
	// To is the address in the format of Address.String.
	To string
	// Link is the complete link of a MailLogin or a MailInvitation. It is a secret.
	Link string
	// Code is the six-digit alternative to the link, or the code of a confirmation.
	// It is a secret.
	Code string
	// Method is the login method that a notice is about: "link", "code", "passkey" or
	// the name of a provider.
	Method string
	// Lifetime of link and code.
	Lifetime time.Duration
	// Expires is the end of that lifetime. Delivery after it is useless.
	Expires time.Time
	// Title is the name of the site, or "".
	Title string
	// Site is the address of the site, for mails without a link, or "". Its host is
	// the name of the site without a Title.
	Site string
	// Requested is the time of the request; IP and UserAgent describe the client that
	// sent it. The mail shows them. Each may be missing.
	Requested time.Time
	IP        netip.Addr
	UserAgent string
	// Client is the name of the client that sent the request, or "".
	Client string
	// Locale is the preferred language as a BCP 47 tag, or a list of them in the form of
	// Accept-Language (RFC 9110, section 12.5.4), or "".
	Locale string
	// Live reports whether the mail is still of use, so that a mail with a used link
	// is not sent; nil for always. It returns true if that is unknown.
	Live func(ctx context.Context) bool
	// Decoy mails occupy a place in the queue and are never delivered, so that a
	// full queue has the same effect for every address.
	Decoy bool
}

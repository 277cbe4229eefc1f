// Package smtpd runs an SMTP server that stores mails: STARTTLS (RFC 3207), AUTH PLAIN
// (RFC 4954), and a record of everything that clients sent unencrypted.
package smtpd

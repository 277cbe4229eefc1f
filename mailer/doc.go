// Package mailer turns authcore.Mail into mail and delivers it.
//
// It owns the texts of the mail, the queue, and three transports: an SMTP server, an
// HTTP mail API, and the log for development. It does not own links and their limits;
// package login does.
//
//	Service ──Enqueue──▶ Queue ──▶ Templates ──▶ Message ──▶ Transport
//	                      │  ▲                                   │
//	                      │  └──── after a pause ◀── temporary ──┤
//	                      ▼                                      ▼
//	                   Outcome (metrics)            sent, rejected or unknown
//
// Enqueue never waits, so that a response reveals nothing about a mailbox. A mail is
// rendered for each attempt and is retried until its link expires. It is in memory only:
// after a restart users request another link.
//
// Address, link and code are secrets. No error, log line or Outcome of this package
// contains them, nor any text of a server, because servers repeat addresses. A
// [DeliveryError] keeps the codes and describes them in words of this package. The only
// exception is [Log], whose purpose is to show them.
package mailer

// Package mailer turns authcore.LinkMail into mail and gets it delivered.
//
// It owns the texts of the mail, the queue in front of the delivery and three
// ways out: an SMTP server, an HTTP mail API, and the log of a developer. It
// does not own what a link is, who may ask for one or how often: that is
// package authcore's.
//
//	Service ──Enqueue──▶ Queue ──▶ Templates ──▶ Message ──▶ Transport
//	                      │  ▲                                   │
//	                      │  └──── after a pause ◀── temporary ──┤
//	                      ▼                                      ▼
//	                   Outcome (metrics)                  sent or rejected
//
// Enqueue never waits, so that an answer says nothing about a mailbox. A mail
// is rendered by the worker that delivers it, is tried until it expires, and
// lives in memory only: whoever asked for a lost mail asks again.
//
// Address, link and code are secrets. No error, log line or Outcome of this
// package carries them, nor any text that a server said, because servers repeat
// addresses; a [DeliveryError] keeps the codes and says the rest in own words.
// The one exception is [Log], which exists to show them.
package mailer

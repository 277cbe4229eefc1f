package caddymodule

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/mailer"
)

// drainTimeout bounds how long a shutdown waits for the mail that is still in
// the queue, and a reload with another mailer for the attempts under way.
const drainTimeout = 10 * time.Second

// Mailer is implemented by modules of the namespace edgeauth.mailers.
type Mailer interface {
	// OpenMailer returns the mailer and release, which is called once. It is called
	// at the start, and not when a configuration is only validated. During a reload
	// the mailer is opened for the new configuration before the old configuration
	// releases it: a mailer with a queue shares the queue, so that no mail is lost.
	// If the mailer has a method Len() int, the metrics show it as queue length.
	OpenMailer(env MailerEnvironment) (mails authcore.Mailer, release func() error, err error)
}

// MailerEnvironment holds what a mailer needs from its realm.
type MailerEnvironment struct {
	// Realm is the name of the realm.
	Realm string
	// Observe records the outcome of a mail, for the metrics. It outlives the
	// configuration and does not block.
	Observe func(mailer.Outcome)
	// Successor returns the mailer of the realm that serves now, or nil. A mailer
	// that ends passes its remaining mail to it, unless it is the same.
	Successor func() authcore.Mailer
}

// MailOptions are the options that all mailers of this package share.
type MailOptions struct {
	// The author of mails: `Example <login@example.com>` or a bare address. Can
	// contain placeholders.
	From string `json:"from,omitempty"`
	// The address for replies, in the form of `from`. Default: the author.
	ReplyTo string `json:"reply_to,omitempty"`
	// The subject in all languages, a template. Default: that of the texts.
	Subject string `json:"subject,omitempty"`
	// A directory with texts of your own: subject.txt, text.txt and html.html of the
	// login mail, account-subject.txt, account-text.txt and account-html.html of mails
	// about accounts, and the same in folders named by language. Default: the built-in
	// texts.
	Templates string `json:"templates,omitempty"`

	from, replyTo, templates, subject string
	texts                             *mailer.Templates
}

// provision resolves the options and reads the texts. If no author is configured,
// it is otherwise.
func (o *MailOptions) provision(where, otherwise string) error {
	err := newResolver(where).bind(
		binding{"from", o.From, &o.from},
		binding{"reply_to", o.ReplyTo, &o.replyTo},
		binding{"templates", o.Templates, &o.templates},
		binding{"subject", o.Subject, &o.subject},
	)
	if err != nil {
		return err
	}
	if o.from == "" {
		o.from = otherwise
	}
	if o.from == "" {
		return fmt.Errorf("%s: from: is missing; add for example: from login@example.com", where)
	}
	for option, sender := range map[string]string{"from": o.from, "reply_to": o.replyTo} {
		if sender == "" {
			continue
		}
		if _, err := mailer.ParseSender(sender); err != nil {
			return fmt.Errorf("%s: %s: %w", where, option, err)
		}
	}
	if o.texts, err = mailer.LoadTemplates(o.templates); err != nil {
		return fmt.Errorf("%s: templates: %w", where, err)
	}
	if o.subject != "" {
		if o.texts, err = o.texts.WithSubject(o.subject); err != nil {
			return fmt.Errorf("%s: subject: %w", where, err)
		}
	}
	return nil
}

// parseMailer reads a mailer: the argument url, unless it is nil, and a block with the
// options of targets, which are pointers to structs.
func parseMailer(d *caddyfile.Dispenser, url *string, targets ...any) error {
	d.Next() // the module's name
	b := newBlock(d)
	switch {
	case url != nil:
		if err := b.argument(url); err != nil {
			return err
		}
	case d.NextArg():
		return d.Errf("mailer log: expected no argument")
	}
	return b.options(nil, targets...)
}

// open returns the queue in front of a transport: the running one if nothing about
// it has changed, so that a reload loses no mail. A dkim that is not nil signs mails.
func (o *MailOptions) open(env MailerEnvironment, identity []string, dkim *mailer.DKIM, transport func() (mailer.Transport, error)) (authcore.Mailer, func() error, error) {
	key, err := o.key(append([]string{env.Realm}, identity...))
	if err != nil {
		return nil, nil, err
	}
	return acquire(key, func() (authcore.Mailer, func() error, error) {
		way, err := transport()
		if err != nil {
			return nil, nil, err
		}
		queue, err := mailer.NewQueue(mailer.QueueConfig{
			Transport: way, Templates: o.texts, From: o.from, ReplyTo: o.replyTo, DKIM: dkim,
			Observe: env.Observe, Logger: processLogger("edgeauth.mailer"),
		})
		if err != nil {
			return nil, nil, err
		}
		drain := func() error {
			ctx, cancel := context.WithTimeout(context.Background(), drainTimeout) //nolint:forbidigo // no request: the last configuration ends
			defer cancel()
			next := env.Successor()
			if next == nil || next == authcore.Mailer(queue) || caddy.Exiting() {
				return queue.Close(ctx)
			}
			return queue.HandOver(ctx, next)
		}
		return queue, drain, nil
	})
}

// key returns a pool key that depends on everything that mails depend on.
func (o *MailOptions) key(identity []string) (string, error) {
	parts := append(slices.Clone(identity), o.from, o.replyTo, o.subject, o.templates)
	if o.templates != "" {
		files := os.DirFS(o.templates)
		err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(files, path)
			parts = append(parts, path, string(content))
			return err
		})
		if err != nil {
			return "", fmt.Errorf("templates: %w", err)
		}
	}
	return poolKey("mail", parts), nil
}

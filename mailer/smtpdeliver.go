package mailer

import (
	"bytes"
	"context"
	"errors"
	netmail "net/mail"

	gomail "github.com/wneessen/go-mail"

	"github.com/edgeauth/edgeauth/authcore"
)

// Deliver hands the mail over on a kept or a new connection.
func (t *SMTP) Deliver(ctx context.Context, m *Message) error {
	content, err := encode(m)
	if err != nil {
		return err
	}
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
		return failureAt(ctx, stageConnect, ctx.Err())
	}
	for {
		s, reused, err := t.session(ctx)
		if err != nil {
			return err
		}
		failure, broken := t.transact(ctx, s, m, content)
		s.uses++
		switch {
		case broken:
			_ = s.conn.Close()
		case s.uses >= t.maxUses:
			s.quit(t.pool.afterFunc)
		default:
			t.pool.put(s)
		}
		if failure == nil {
			return nil
		}
		// A kept connection may have died in the pool. That tells nothing about
		// the server, so that the next one is tried, at last a new one. After
		// DATA the mail may have been taken: trying again would double it.
		if reused && broken && failure.Stage == stageSender && ctx.Err() == nil {
			continue
		}
		return failure
	}
}

// session returns a connection that lives, and whether it was kept.
func (t *SMTP) session(ctx context.Context) (s *session, reused bool, err error) {
	if t.pool.isClosed() {
		return nil, false, ErrClosed
	}
	for s := t.pool.take(); s != nil; s = t.pool.take() {
		if t.now().Sub(s.idleSince) < checkAfter || s.lives(ctx) {
			return s, true, nil
		}
		_ = s.conn.Close()
	}
	s, err = t.open(ctx)
	return s, false, err
}

// lives asks the server for a sign of life (RFC 5321, section 4.1.1.9).
func (s *session) lives(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	unbind := s.bind(ctx)
	err := s.client.Noop()
	return unbind() && err == nil
}

// transact runs one mail transaction (RFC 5321, section 3.3) and reports whether
// the connection can be used no more.
func (t *SMTP) transact(ctx context.Context, s *session, m *Message, content []byte) (failure *DeliveryError, broken bool) {
	unbind := s.bind(ctx)
	stage, err := s.send(m, content)
	if err != nil {
		failure = failureAt(ctx, stage, err)
		// After a refusal the server waits for a new transaction, except when it
		// says that it closes.
		broken = failure.Status == 0 || failure.Status == 421 || s.client.Reset() != nil
	}
	if !unbind() {
		broken = true
	}
	return failure, broken
}

// send offers the mail. The returned stage is where an error happened.
func (s *session) send(m *Message, content []byte) (stage string, err error) {
	if err := s.client.Mail("<" + m.From.Address + ">"); err != nil {
		return stageSender, err
	}
	if err := s.client.Rcpt("<" + m.To + ">"); err != nil {
		return stageRecipient, err
	}
	writer, err := s.client.Data()
	if err != nil {
		return stageContent, err
	}
	if _, err := writer.Write(content); err != nil {
		return stageContent, errors.Join(err, writer.Close())
	}
	return stageContent, writer.Close()
}

// encode writes a mail in the form of RFC 5322 and MIME.
func encode(m *Message) ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from := m.From
	msg.FromMailAddress(&from)
	if m.ReplyTo.Address != "" {
		replyTo := m.ReplyTo
		msg.ReplyToMailAddress(&replyTo)
	}
	// Parsed once more at the last door, for messages from other packages.
	to, err := authcore.ParseAddress(m.To)
	if err != nil || to.String() != m.To {
		return nil, &DeliveryError{Permanent: true, Stage: stageRecipient, Reason: "not an address"}
	}
	msg.ToMailAddress(&netmail.Address{Address: m.To})
	msg.Subject(oneLine(m.Subject))
	msg.SetMessageIDWithValue(m.MessageID)
	msg.SetDateWithValue(m.Date)
	// No vacation notice and no other robot shall answer (RFC 3834, section 5;
	// the second field is that of Exchange). Bounces are welcome.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "OOF, AutoReply")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)

	var buffer bytes.Buffer
	if _, err := msg.WriteTo(&buffer); err != nil {
		return nil, &DeliveryError{Permanent: true, Stage: stageContent, Reason: "mail could not be encoded"}
	}
	return buffer.Bytes(), nil
}

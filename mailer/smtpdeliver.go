package mailer

import "context"

// Deliver hands the mail over on a kept or a new connection.
func (t *SMTP) Deliver(ctx context.Context, m *Message) error {
	content, err := m.encoded()
	if err != nil {
		return err
	}
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
		return failureAt(ctx, stageConnect, ctx.Err())
	}
	s, reused, err := t.session(ctx)
	if err != nil {
		return err
	}
	failure := t.attempt(ctx, s, m, content)
	if reused && failure != nil && failure.retriesNow() && ctx.Err() == nil {
		if s, err = t.open(ctx); err != nil {
			return err
		}
		failure = t.attempt(ctx, s, m, content)
	}
	if failure != nil {
		return failure
	}
	return nil
}

// retriesNow reports whether a failure on a kept connection justifies a new connection
// immediately: the connection died in the pool, or the server refuses more mails on
// it. The content was not sent, so the mail cannot arrive twice.
func (e *DeliveryError) retriesNow() bool {
	switch e.Stage {
	case stageSender:
		return true
	case stageRecipient, stageData:
		return e.Status == 0 || e.ofSession()
	default:
		return false
	}
}

// ofSession reports whether a refusal concerns the session and not the recipient or
// the content: the connection closes, the mails of a connection are limited,
// commands or replies are out of sequence, or authentication is missing.
func (e *DeliveryError) ofSession() bool {
	if e.Status < 400 {
		return true // the reply to another command
	}
	subject := e.subject()
	switch e.Status {
	case 421, 503, 530, 534, 535, 538:
		return true
	case 452, 500, 501, 502, 504:
		return subject != "1" && subject != "2" && subject != "6" && subject != "7"
	default:
		return subject == "5"
	}
}

// session returns a usable connection, and whether it was used before.
func (t *SMTP) session(ctx context.Context) (s *session, reused bool, err error) {
	if t.pool.isClosed() {
		return nil, false, ErrClosed
	}
	for s := t.pool.take(); s != nil; s = t.pool.take() {
		if t.now().Sub(s.idleSince) < checkAfter || s.alive(ctx) {
			return s, true, nil
		}
		s.close()
	}
	s, err = t.open(ctx)
	return s, false, err
}

// attempt runs one mail transaction (RFC 5321, section 3.3), and keeps or ends the
// session.
func (t *SMTP) attempt(ctx context.Context, s *session, m *Message, content []byte) *DeliveryError {
	unbind := s.bind(ctx)
	var failure *DeliveryError
	stage, ended, err := s.transact(m, content)
	if err != nil {
		failure = s.failure(ctx, stage, err)
		failure.Unknown = ended && failure.Status == 0
	}
	reused := s.uses > 0
	s.uses++
	keep := failure == nil || failure.keepsConnection(reused) && s.expect(2, commandTimeout, "RSET") == nil
	broken := failure != nil && failure.Status == 0
	switch {
	case !unbind() || broken:
		s.close()
	case keep && s.uses < t.maxUses:
		t.pool.put(s)
	default:
		s.quit()
	}
	return failure
}

// keepsConnection reports whether the session can continue after a failure: only if
// this recipient or content was refused.
func (e *DeliveryError) keepsConnection(reused bool) bool {
	isRefusal := e.Status >= 400 && e.Status <= 599 && e.Status != 421
	return isRefusal && e.Stage != stageSender && (!reused || !e.retriesNow())
}

// transact offers the mail. On an error it returns the stage, and whether the end
// of the content was sent.
func (s *session) transact(m *Message, content []byte) (stage string, ended bool, err error) {
	if err := s.mail(mailboxOf(m.From.Address)); err != nil {
		return stageSender, false, err
	}
	if err := s.rcpt(mailboxOf(m.To)); err != nil {
		return stageRecipient, false, err
	}
	ended, err = s.data(content)
	if !ended {
		return stageData, false, err
	}
	return stageContent, true, err
}

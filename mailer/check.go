package mailer

import (
	"context"
	"net/http"
	"strings"
)

// Check connects, authenticates, and offers a mail from the sender to the
// postmaster of its domain, which every domain must accept (RFC 5321, section
// 4.5.1), without sending it. The error is a *DeliveryError. It ends with ctx.
func (t *SMTP) Check(ctx context.Context, sender string) error {
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	unbind := s.bind(ctx)
	defer unbind()
	stage, err := s.try(sender)
	if err != nil {
		err = s.failure(ctx, stage, err)
	}
	s.quit()
	return err
}

// try offers a mail and resets the transaction. On an error it returns the stage.
func (s *session) try(sender string) (stage string, err error) {
	if err := s.mail(sender); err != nil {
		return stageSender, err
	}
	_, domain, _ := strings.Cut(sender, "@")
	if err := s.rcpt("postmaster@" + domain); err != nil {
		return stageRecipient, err
	}
	return stageRecipient, s.expect(2, commandTimeout, "RSET")
}

// Check sends OPTIONS without the token to the mail API (RFC 9110, section 9.3.7:
// OPTIONS is safe). Every response except a server error means that the API is
// reachable. The token is tested by the first mail only. The error is a
// *DeliveryError. It ends with ctx.
func (w *Webhook) Check(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodOptions, w.url, nil)
	if err != nil {
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Reason: "creating the request failed"}
	}
	response, err := w.client.Do(request)
	if err != nil {
		return failureAt(ctx, stageHTTP, err)
	}
	_ = response.Body.Close()
	if response.StatusCode >= http.StatusInternalServerError {
		return judgeHTTP(response.StatusCode)
	}
	return nil
}

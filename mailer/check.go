package mailer

import (
	"context"
	"net/http"
)

// Check connects, greets, upgrades to TLS and logs in as for a mail, and says
// goodbye. Its error is a *DeliveryError. It ends with ctx.
func (t *SMTP) Check(ctx context.Context) error {
	s, err := t.open(ctx)
	if err != nil {
		return err
	}
	s.quit(t.pool.afterFunc)
	return nil
}

// Check asks the mail API what it can do, without the token (RFC 9110, section
// 9.3.7: OPTIONS is safe). Any answer but a failure of the server means that it
// is there; whether it takes the token shows with the first mail. Its error is a
// *DeliveryError. It ends with ctx.
func (w *Webhook) Check(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodOptions, w.url, nil)
	if err != nil {
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Reason: "request could not be made"}
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

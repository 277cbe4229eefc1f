package mailer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// DefaultTimeout is the default of WebhookConfig.Timeout.
const DefaultTimeout = 30 * time.Second

// WebhookConfig configures an HTTP mail API.
type WebhookConfig struct {
	// URL receives the mails. It must be https, except on the loopback interface,
	// because mails contain login links.
	URL string
	// Token is sent as a bearer token (RFC 6750, section 2.1), unless it is "".
	Token string
	// Client sends the requests; nil means a new one. Its redirect policy and
	// cookies are not used.
	Client *http.Client
	// Timeout limits one request. Default: 30 s.
	Timeout time.Duration
}

// Webhook is a Transport that posts mails as JSON: {"to","from","reply_to",
// "subject","text","html"}. reply_to is omitted if it is empty. The header
// Idempotency-Key is the same in every attempt at a mail.
//
// A 2xx status means sent. 400, 413 and 422 mean that the API refuses this mail. Every
// other status is temporary, like a wrong SMTP password: the operator can correct it
// before the link expires. Redirects are not followed, because they would send the
// token and the mail to a host that is not configured (CWE-601).
type Webhook struct {
	url, token string
	client     *http.Client
	owned      *http.Transport
}

// NewWebhook checks the configuration. It sends no request.
func NewWebhook(config WebhookConfig) (*Webhook, error) {
	target, err := url.Parse(config.URL)
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return nil, errors.New("mailer: webhook: the URL is not valid; use a URL such as https://mail.example.com/send")
	}
	if target.Scheme == "http" && !authcore.IsLoopback(target.Hostname()) {
		return nil, errors.New("mailer: webhook: the scheme is not https; use https://, because mails contain login links")
	}
	if target.User != nil {
		return nil, errors.New("mailer: webhook: the URL contains credentials; use the token instead")
	}
	if hasControl(config.Token) {
		return nil, errors.New("mailer: webhook: the token contains control characters; remove them")
	}
	w := &Webhook{url: config.URL, token: config.Token, client: &http.Client{}}
	if config.Client != nil {
		*w.client = *config.Client
	} else {
		w.owned = newHTTPTransport()
		w.client.Transport = w.owned
	}
	w.client.Jar = nil
	w.client.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w, nil
}

func newHTTPTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    DefaultWorkers,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
	}
}

// webhookMail is the body of a request.
type webhookMail struct {
	To      string `json:"to"`
	From    string `json:"from"`
	ReplyTo string `json:"reply_to,omitempty"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

// Deliver posts the mail.
func (w *Webhook) Deliver(ctx context.Context, m *Message) error {
	body, err := json.Marshal(webhookMail{
		To: mailboxOf(m.To), From: m.From.String(), ReplyTo: formatOptional(m.ReplyTo),
		Subject: m.Subject, Text: m.Text, HTML: m.HTML,
	})
	if err != nil {
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Reason: "encoding the mail failed"}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Reason: "creating the request failed"}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", m.MessageID)
	if w.token != "" {
		request.Header.Set("Authorization", "Bearer "+w.token)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return failureAt(ctx, stageHTTP, err)
	}
	defer response.Body.Close()
	// A connection can be reused after a short response was read to its end.
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	return judgeHTTP(response.StatusCode)
}

func judgeHTTP(status int) error {
	if status >= 200 && status < 300 {
		return nil
	}
	failure := &DeliveryError{Stage: stageHTTP, Status: status, Reason: strings.ToLower(http.StatusText(status))}
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		failure.Permanent = true
	}
	return failure
}

// Close ends idle connections, unless they belong to a configured client.
func (w *Webhook) Close() error {
	if w.owned != nil {
		w.owned.CloseIdleConnections()
	}
	return nil
}

func formatOptional(address netmail.Address) string {
	if address.Address == "" {
		return ""
	}
	return address.String()
}

var _ Transport = (*Webhook)(nil)

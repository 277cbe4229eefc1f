package mailer

import (
	"bytes"
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
)

// WebhookConfig describes an HTTP mail API.
type WebhookConfig struct {
	// URL that mails are posted to. It must be https, except on the loopback
	// interface: login links travel in it.
	URL string
	// Token is sent as a bearer token (RFC 6750, section 2.1); "" sends none.
	Token string
	// Client makes the requests; nil means one of its own. Its redirect policy
	// and cookies are not used.
	Client *http.Client
}

// Webhook is a Transport that posts mails as JSON: {"to","from","reply_to",
// "subject","text","html"}, of which reply_to is left out when there is none.
// The header Idempotency-Key is the same in every attempt at a mail.
//
// A 2xx answer means sent. 408, 429, 5xx and no answer mean try again; every
// other one means rejected, redirects too: following one would show the token
// and the mail to a host that nobody configured (CWE-601).
type Webhook struct {
	url, token string
	client     *http.Client
	owned      *http.Transport
}

// NewWebhook checks the configuration. It makes no request.
func NewWebhook(config WebhookConfig) (*Webhook, error) {
	target, err := url.Parse(config.URL)
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return nil, errors.New("mailer: webhook: want a URL like https://mail.example.com/send")
	}
	if target.Scheme == "http" && !isLoopback(target.Hostname()) {
		return nil, errors.New("mailer: webhook: the URL must be https, because login links travel in it")
	}
	if target.User != nil {
		return nil, errors.New("mailer: webhook: the URL must not hold credentials; use the token")
	}
	if hasControl(config.Token) {
		return nil, errors.New("mailer: webhook: the token has control characters")
	}
	w := &Webhook{url: config.URL, token: config.Token, client: &http.Client{}}
	if config.Client != nil {
		*w.client = *config.Client
	} else {
		w.owned = newHTTPTransport()
		w.client.Transport = w.owned
	}
	w.client.Jar = nil
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
		To: m.To, From: m.From.String(), ReplyTo: formatOptional(m.ReplyTo),
		Subject: m.Subject, Text: m.Text, HTML: m.HTML,
	})
	if err != nil {
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Reason: "mail could not be encoded"}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Reason: "request could not be made"}
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
	// Reading a short answer to its end lets the connection be used again; of a
	// long one nobody needs the rest.
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	return judgeHTTP(response.StatusCode)
}

func judgeHTTP(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Status: status, Reason: "redirect not followed"}
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return &DeliveryError{Stage: stageHTTP, Status: status, Reason: strings.ToLower(http.StatusText(status))}
	default:
		return &DeliveryError{Permanent: true, Stage: stageHTTP, Status: status, Reason: strings.ToLower(http.StatusText(status))}
	}
}

// Close ends idle connections, unless they belong to a client that was given.
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

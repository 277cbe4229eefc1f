package captcha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// Limits of a call.
const (
	// maxResponse limits the response of a widget, in bytes. Those of the services have
	// up to 4 KiB.
	maxResponse = 8 << 10
	// maxAnswer limits the answer of the service, in bytes.
	maxAnswer = 64 << 10
	// maxPending limits simultaneous calls, so that a service that hangs holds no more
	// requests than these.
	maxPending = 256
)

var errRedirect = errors.New("the service redirects")

// Verifier verifies responses. It is safe for concurrent use.
type Verifier struct {
	cfg     Config
	client  http.Client
	pending chan struct{}
}

// New returns a Verifier. The configuration has been validated.
func New(cfg Config) *Verifier {
	return &Verifier{
		cfg: cfg,
		client: http.Client{
			Transport: cfg.Transport,
			// A redirect would send the secret to another address (CWE-601).
			CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
		},
		pending: make(chan struct{}, maxPending),
	}
}

// Widget returns the widget for login pages, or nil if none is configured.
func (v *Verifier) Widget() *Widget {
	if v.cfg.Widget.SiteKey == "" {
		return nil
	}
	return &v.cfg.Widget
}

// Required returns the 400 error for a request without a response.
func Required() *authcore.Error {
	return &authcore.Error{
		Status: http.StatusBadRequest, Code: authcore.CodeCaptchaRequired, Detail: "Solve the captcha first.",
	}
}

// failed is the 400 error for a response that the service did not accept.
func failed() *authcore.Error {
	return &authcore.Error{
		Status: http.StatusBadRequest, Code: authcore.CodeCaptchaFailed, Detail: "The captcha was not solved or has expired. Please try again.",
	}
}

// Verify checks the response of a widget. It returns a 400 error if the response is
// missing or not accepted, and a 503 error if the service gives no usable answer or does
// not accept the secret.
func (v *Verifier) Verify(ctx context.Context, response string, ip netip.Addr) error {
	switch {
	case strings.TrimSpace(response) == "":
		return Required()
	case len(response) > maxResponse:
		return failed()
	}
	select {
	case v.pending <- struct{}{}:
		defer func() { <-v.pending }()
	default:
		return unavailable("too many calls are pending")
	}
	ctx, cancel := context.WithTimeout(ctx, v.cfg.Timeout)
	defer cancel()
	body, err := v.call(ctx, response, ip)
	if err != nil {
		return err
	}
	return v.judge(body)
}

// call returns the body of the answer. Its errors contain no text of the service and no
// URL.
func (v *Verifier) call(ctx context.Context, response string, ip netip.Addr) ([]byte, error) {
	form := url.Values{"secret": {v.cfg.Secret}, "response": {response}}
	if ip.IsValid() {
		form.Set("remoteip", ip.Unmap().String())
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.cfg.VerifyURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, unavailable("the verify URL is not valid")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	answer, err := v.client.Do(request)
	if err != nil {
		return nil, unavailable(reason(ctx, err))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, unavailable(reason(ctx, err))
	case len(body) > maxAnswer:
		return nil, unavailable("the answer is larger than 64 KiB")
	case answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests:
		return nil, unavailable(fmt.Sprintf("status %d", answer.StatusCode))
	}
	return body, nil
}

// reason describes the error of a call.
func reason(ctx context.Context, err error) string {
	switch {
	case errors.Is(err, errRedirect):
		return errRedirect.Error()
	case ctx.Err() != nil:
		return "no answer in time"
	default:
		return "the connection failed"
	}
}

// answer is the answer of the service. Services that refuse with status 400 send it too.
type answer struct {
	Success  *bool    `json:"success"`
	Faults   []string `json:"error-codes"`
	Hostname string   `json:"hostname"`
	Action   string   `json:"action"`
}

// ourFaults are the error codes about the configuration of this site.
var ourFaults = []string{
	"missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "invalid-keys", "bad-request", "internal-error",
}

// judge reads the answer of the service.
func (v *Verifier) judge(body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil || a.Success == nil {
		return unavailable("the answer is not that of the siteverify protocol")
	}
	if !*a.Success {
		if i := slices.IndexFunc(a.Faults, func(fault string) bool { return slices.Contains(ourFaults, fault) }); i >= 0 {
			return unavailable("the service reports " + a.Faults[i])
		}
		return failed()
	}
	if !v.acceptsHost(a.Hostname) || v.cfg.Action != "" && a.Action != v.cfg.Action {
		return failed()
	}
	return nil
}

// acceptsHost reports whether a widget of this site was solved. The site key is public:
// a response can be made on any page that shows the widget, unless the service limits
// its sites. Applications of phones have no host name.
func (v *Verifier) acceptsHost(name string) bool {
	return name == "" || len(v.cfg.Hostnames) == 0 || slices.ContainsFunc(v.cfg.Hostnames, func(own string) bool {
		return strings.EqualFold(own, name)
	})
}

// unavailable is the 503 error of a service that gives no usable answer.
func unavailable(why string) *authcore.Error {
	return authcore.Unavailable(fmt.Errorf("captcha: %s", why))
}

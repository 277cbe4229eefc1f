package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// secretPrefix begins secrets in the format of Standard Webhooks.
	secretPrefix = "whsec_"
	// minSecret and maxSecret limit the decoded secret, in bytes.
	minSecret, maxSecret = 24, 64
	// maxSecrets limits the secrets of an endpoint: one, or two while it changes.
	maxSecrets = 2
	// maxEndpoints limits the endpoints of a realm. Each entry is stored once for each.
	maxEndpoints = 4
)

// Endpoint receives messages.
type Endpoint struct {
	// URL must be https, except on the loopback interface.
	URL string
	// Secrets sign the messages: one, or two while the secret changes. Each is "whsec_"
	// and 24 to 64 bytes in base64.
	Secrets []string
	// Actions selects entries by their action. Empty selects all.
	Actions []authcore.EventName
}

// Validate returns a fault of the endpoint, without its URL and secrets.
func (e *Endpoint) Validate() error {
	target, err := url.Parse(e.URL)
	switch {
	case err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http":
		return errors.New("webhook: the URL is not valid; use a URL such as https://example.com/hook")
	case target.Scheme == "http" && !authcore.IsLoopback(target.Hostname()):
		return errors.New("webhook: the scheme is not https; use https://, because messages describe users")
	case target.User != nil:
		return errors.New("webhook: the URL contains credentials; the signature authenticates messages")
	case len(e.Secrets) == 0 || len(e.Secrets) > maxSecrets:
		return fmt.Errorf("webhook: %d secrets; use one, or two while the secret changes", len(e.Secrets))
	}
	for _, secret := range e.Secrets {
		if _, err := decodeSecret(secret); err != nil {
			return err
		}
	}
	for _, action := range e.Actions {
		if !action.IsKnown() || action == authcore.EventRefresh { // refreshes have no entry
			return fmt.Errorf("webhook: action %.40q does not exist; use names such as login or user_disabled", action)
		}
	}
	return nil
}

// ValidateAll returns the faults of endpoints, joined.
func ValidateAll(endpoints []Endpoint) error {
	faults := make([]error, 0, len(endpoints))
	known := map[string]bool{}
	if len(endpoints) > maxEndpoints {
		faults = append(faults, fmt.Errorf("webhook: %d endpoints; use %d at most", len(endpoints), maxEndpoints))
	}
	for i := range endpoints {
		faults = append(faults, endpoints[i].Validate())
		if id := endpoints[i].ID(); known[id] {
			faults = append(faults, errors.New("webhook: an URL is configured twice; list its actions in one webhook"))
		} else {
			known[id] = true
		}
	}
	return errors.Join(faults...)
}

func decodeSecret(text string) ([]byte, error) {
	encoded, prefixed := strings.CutPrefix(text, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !prefixed || err != nil || len(key) < minSecret || len(key) > maxSecret {
		return nil, fmt.Errorf("webhook: a secret is not valid; use %s and %d to %d random bytes in base64", secretPrefix, minSecret, maxSecret)
	}
	return key, nil
}

// ID identifies the endpoint in records and metrics. It is a digest, because a URL may be
// secret.
func (e *Endpoint) ID() string {
	digest := sha256.Sum256([]byte(e.URL))
	return hex.EncodeToString(digest[:8])
}

// origin is the part of the URL that is shown.
func (e *Endpoint) origin() string {
	target, err := url.Parse(e.URL)
	if err != nil {
		return ""
	}
	return target.Scheme + "://" + target.Host
}

func (e *Endpoint) selects(action authcore.EventName) bool {
	return len(e.Actions) == 0 || slices.Contains(e.Actions, action)
}

// signature returns the header webhook-signature of a message.
func (e *Endpoint) signature(id string, at time.Time, body []byte) (string, error) {
	var signatures []string
	for _, secret := range e.Secrets {
		key, err := decodeSecret(secret)
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}

package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// verify checks a message as its receiver does: the documentation contains this code.
func verify(secret string, header http.Header, body []byte, now time.Time) bool {
	seconds, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(header.Get("webhook-id") + "." + header.Get("webhook-timestamp") + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, signature := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return true
		}
	}
	return false
}

// A forged, changed or replayed message fails the verification of the receiver (CWE-345,
// CWE-294). While the secret changes, both secrets verify a message.
func TestHardeningSignature(t *testing.T) {
	f := newFixture(t)
	s := f.sender(func(e *webhook.Endpoint) { e.Secrets = []string{secret, another} })
	f.record(f.trail(s), "u1")
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	if len(f.accepted) != 1 {
		t.Fatalf("the receiver has %d messages, want 1", len(f.accepted))
	}
	m := f.accepted[0]
	changed := m.header.Clone()
	changed.Set("webhook-id", "msg_other")
	for name, c := range map[string]struct {
		secret string
		header http.Header
		body   string
		age    time.Duration
		want   bool
	}{
		"genuine":       {secret, m.header, string(m.body), 0, true},
		"second secret": {another, m.header, string(m.body), 0, true},
		"other secret":  {"whsec_" + strings.Repeat("A", 32), m.header, string(m.body), 0, false},
		"changed body":  {secret, m.header, strings.Replace(string(m.body), "u1", "u2", 1), 0, false},
		"changed ID":    {secret, changed, string(m.body), 0, false},
		"replayed":      {secret, m.header, string(m.body), time.Hour, false},
	} {
		if got := verify(c.secret, c.header, []byte(c.body), f.clock().Add(c.age)); got != c.want {
			t.Errorf("verification of the message %s = %t, want %t", name, got, c.want)
		}
	}
}

// The test vector of Standard Webhooks.
func TestHardeningStandardVector(t *testing.T) {
	header := http.Header{}
	header.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set("webhook-timestamp", "1614265330")
	header.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	if !verify(secret, header, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)) {
		t.Error("verification of the test vector = false, want true")
	}
}

// A redirect does not lead the message to another host (CWE-601).
func TestHardeningRedirect(t *testing.T) {
	f := newFixture(t)
	stolen := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen = true }))
	defer thief.Close()
	target := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer target.Close()
	s := f.sender(func(e *webhook.Endpoint) { e.URL = target.URL })
	f.record(f.trail(s), "u1")
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	if state := f.status(s); stolen || state.Waiting != 1 {
		t.Errorf("the message followed a redirect: %t, Status() = %+v, want it to wait", stolen, state)
	}
}

// The log, the state and dead letters contain neither the secrets nor the path of the URL,
// which is a secret at many services (CWE-532).
func TestHardeningURLIsSecret(t *testing.T) {
	f := newFixture(t)
	s := f.sender(func(e *webhook.Endpoint) { e.URL = "http://127.0.0.1:1/path-secret?key=query-secret" })
	f.record(f.trail(s), "u1")
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	state := f.status(s)
	if state.Waiting != 1 || state.Error == "" || state.Endpoint != "http://127.0.0.1:1" {
		t.Errorf("Status() = %+v, want a waiting message for http://127.0.0.1:1", state)
	}
	for _, text := range []string{f.log.String(), state.Error, state.ID, state.Endpoint} {
		for _, hidden := range []string{"path-secret", "query-secret", secret[6:]} {
			if strings.Contains(text, hidden) {
				t.Errorf("%q contains %q", text, hidden)
			}
		}
	}
}

// Messages are damaged in the store. They are listed among the dead letters with their
// fault, can be discarded, and are never sent, whatever is left of them (CWE-754).
func TestHardeningDamagedMessages(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	endpoint := f.status(s).ID
	damaged := map[string]string{
		"msg_1": ``, "msg_2": `{`, "msg_3": `null`, "msg_4": `{}`, "msg_5": `{"id":"msg_other","body":{}}`, "msg_6": `{"id":"msg_6"}`, "msg_7": `[1]`,
	}
	for id, data := range damaged {
		record := authcore.Record{
			RecordKey: authcore.RecordKey{Kind: webhook.Kind, Key: endpoint + ":" + id}, Owner: "due:" + endpoint,
			Created: start, Expires: start.Add(30 * 24 * time.Hour), Data: []byte(data),
		}
		if err := f.store.PutRecord(t.Context(), record, authcore.PutOptions{Now: start}); err != nil {
			t.Fatalf("PutRecord() = %v", err)
		}
	}
	f.record(f.trail(s), "u1")
	f.advance(2 * time.Second)
	s.Pass(t.Context())
	letters, _, err := s.DeadLetters(t.Context(), endpoint, 0, "")
	if err != nil || len(letters) != len(damaged) || f.attempts != 1 || len(f.accepted) != 1 {
		t.Fatalf("DeadLetters() = %+v, %v after %d attempts, want %d letters and one attempt", letters, err, f.attempts, len(damaged))
	}
	for _, letter := range letters {
		if _, known := damaged[letter.ID]; !known || !strings.Contains(letter.Error, "damaged") || letter.Given.IsZero() {
			t.Errorf("dead letter = %+v, want its ID and fault", letter)
		}
		if public := authcore.Unavailable(s.Retry(t.Context(), endpoint, letter.ID)); public.Status != 409 {
			t.Errorf("Retry(%s) = %v, want 409", letter.ID, public)
		}
		if err := s.Discard(t.Context(), endpoint, letter.ID); err != nil {
			t.Errorf("Discard(%s) = %v, want nil", letter.ID, err)
		}
	}
	if state := f.status(s); state.Dead != 0 || state.Waiting != 0 {
		t.Errorf("Status() = %+v, want no message", state)
	}
}

// A user causes many entries whose first one makes the receiver fail, for example by the
// name of a browser. The messages of other users are sent all the same (CWE-400).
func TestHardeningPoisonedUser(t *testing.T) {
	f := newFixture(t)
	s := f.sender()
	trail := f.trail(s)
	f.respond = func(m received) int {
		if m.Data.User == "eve" {
			return 500
		}
		return 200
	}
	const many = 1100
	for range many {
		f.record(trail, "eve")
	}
	f.record(trail, "ann")
	f.record(trail, "ann")
	for range 3 {
		f.advance(2 * time.Second)
		s.Pass(t.Context())
	}
	if len(f.accepted) != 2 || f.attempts > 4 {
		t.Fatalf("the receiver has %d messages after %d attempts, want 2 of ann and few attempts", len(f.accepted), f.attempts)
	}
	f.respond = func(received) int { return 200 }
	for range 10 {
		f.advance(time.Minute)
		s.Pass(t.Context())
	}
	if len(f.accepted) != many+2 {
		t.Fatalf("the receiver has %d messages, want %d", len(f.accepted), many+2)
	}
	for i, message := range f.accepted[3:] {
		if before := f.accepted[i+2]; !message.Timestamp.After(before.Timestamp) {
			t.Fatalf("the message at %s follows that at %s", message.Timestamp, before.Timestamp)
		}
	}
}

package mailer

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// TestHardeningDeferringDomain floods the queue with mail for a domain that defers
// (451). Mail for other domains is accepted and delivered (CWE-400).
func TestHardeningDeferringDomain(t *testing.T) {
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error {
		if strings.HasSuffix(m.To, "@defers.example") {
			return &DeliveryError{Stage: stageRecipient, Status: 451}
		}
		return nil
	}), func(c *QueueConfig) { c.Capacity, c.Retries, c.RetriesOfDomain = 100, 200, 50 })
	for i := range 1000 {
		r.enqueue(t, r.mail(fmt.Sprintf("u%d@defers.example", i)))
		r.await(t, "the first attempts have ended", func() bool { return r.places < 50 })
	}
	r.await(t, "the first attempts have ended", func() bool { return r.places == 0 })
	if r.Len() != 50 {
		t.Errorf("Len() = %d, want the 50 retries of the domain", r.Len())
	}
	counts := map[Result]int{}
	for len(r.outcomes) > 0 {
		counts[receive(t, r.outcomes).Result]++
	}
	if counts[Retried] != 1000 || counts[Dropped] != 950 {
		t.Errorf("outcomes = %v, want 1000 retried, 950 of them dropped", counts)
	}
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Sent)
}

// TestRetryBudgets drops the oldest mail of the largest domain if all retries are used.
func TestRetryBudgets(t *testing.T) {
	dropped := make(chan string, 100)
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), func(c *QueueConfig) {
		c.Retries, c.RetriesOfDomain, c.Workers = 5, 4, 1
	})
	send := func(to string) {
		r.enqueue(t, r.mail(to))
		r.await(t, "the attempt has ended", func() bool { return r.places == 0 })
	}
	for _, to := range []string{"1@a.example", "2@a.example", "3@a.example", "1@b.example", "2@b.example"} {
		send(to)
	}
	send("1@c.example") // drops 1@a.example
	r.mu.Lock()
	for _, it := range r.retries.items["a.example"] {
		dropped <- it.mail.To
	}
	r.mu.Unlock()
	if first := receive(t, dropped); first != "2@a.example" || r.Len() != 5 {
		t.Errorf("oldest retry = %s, Len() = %d, want 2@a.example, 5", first, r.Len())
	}
	send("2@c.example") // drops the oldest of a, which is still among the largest
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.retries.items["a.example"]) != 1 || r.retryCount != 5 || len(r.waiting) != 5 {
		t.Errorf("retries = %v, count = %d, waiting = %d", r.retries.order, r.retryCount, len(r.waiting))
	}
}

// TestSlowDomain: a domain whose server takes minutes occupies no worker for long, and
// at most a few of the attempts.
func TestSlowDomain(t *testing.T) {
	var pending atomic.Int64
	release := make(chan struct{})
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error {
		if strings.HasSuffix(m.To, "@slow.example") {
			pending.Add(1)
			<-release
		}
		return nil
	}), func(c *QueueConfig) { c.Workers, c.Capacity = 2, 20 })
	for i := range 20 {
		r.enqueue(t, r.mail(fmt.Sprintf("u%d@slow.example", i)))
	}
	for round := range slowOfDomain / 2 {
		r.await(t, "both workers deliver", func() bool { return pending.Load() == int64(2*round+2) })
		r.clock.Advance(slowAfter)
	}
	r.await(t, "the domain is blocked", func() bool { return r.running == 0 && r.slow == slowOfDomain })
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Sent)
	if pending.Load() != slowOfDomain || r.Len() != 20 {
		t.Errorf("attempts = %d, Len() = %d, want %d, 20", pending.Load(), r.Len(), slowOfDomain)
	}
	close(release)
	for range slowOfDomain {
		r.expect(t, Sent)
	}
	r.await(t, "no attempt is slow", func() bool { return r.slow == 0 && len(r.slowOf) == 0 && r.running == 0 && len(r.activeOf) == 0 })
	r.clock.Advance(longestPause)
	for range 20 - slowOfDomain {
		r.expect(t, Sent)
	}
	if r.Len() != 0 {
		t.Errorf("Len() = %d, want 0", r.Len())
	}
}

// TestDomainsTakeTurns sends the mail of a small domain before the rest of a large one.
func TestDomainsTakeTurns(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	order := make(chan string, 10)
	var once sync.Once
	r := newRig(t, newFakeTransport(func(_ context.Context, m *Message) error {
		once.Do(func() {
			close(started)
			<-release
		})
		order <- m.To
		return nil
	}), func(c *QueueConfig) { c.Workers = 1 })
	r.enqueue(t, r.mail("1@large.example"))
	receive(t, started)
	for _, to := range []string{"2@large.example", "3@large.example", "4@large.example", "1@small.example"} {
		r.enqueue(t, r.mail(to))
	}
	close(release)
	var got []string
	for range 5 {
		got = append(got, receive(t, order))
	}
	want := "1@large.example 2@large.example 1@small.example 3@large.example 4@large.example"
	if strings.Join(got, " ") != want {
		t.Errorf("order = %v, want %s", got, want)
	}
}

// TestDelay begins the first attempt after the response to the client, for mails and
// decoys alike.
func TestDelay(t *testing.T) {
	rendered := make(chan bool, 2)
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), func(c *QueueConfig) { c.Delay = 0 })
	for _, decoy := range []bool{false, true} {
		mail := r.mail("alice@example.org")
		mail.Decoy = decoy
		mail.Live = func(context.Context) bool { rendered <- decoy; return true }
		r.enqueue(t, mail)
	}
	r.clock.Advance(DefaultDelay - time.Millisecond)
	r.mu.Lock()
	if len(rendered) != 0 || len(r.waiting) != 2 || r.running != 0 {
		t.Errorf("waiting = %d, running = %d, want 2, 0", len(r.waiting), r.running)
	}
	r.mu.Unlock()
	r.clock.Advance(DefaultDelay + time.Millisecond)
	receive(t, rendered)
	receive(t, rendered)
	r.expect(t, Sent)
	r.await(t, "the queue is empty", func() bool { return r.total == 0 })
}

// TestDeadLink does not send a mail whose link was used, also between attempts.
func TestDeadLink(t *testing.T) {
	var mu sync.Mutex
	live := true
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return temporary }), nil)
	mail := r.mail("alice@example.org")
	mail.Live = func(context.Context) bool {
		mu.Lock()
		defer mu.Unlock()
		return live
	}
	r.enqueue(t, mail)
	r.expect(t, Retried)
	r.clock.awaitTimers(t, 1)
	mu.Lock()
	live = false
	mu.Unlock()
	r.clock.Advance(longestPause)
	if o := r.expect(t, Expired); o.Attempts != 1 || r.Len() != 0 {
		t.Errorf("attempts = %d, Len() = %d, want 1, 0", o.Attempts, r.Len())
	}
}

// TestHardeningDecoysAreRendered: a decoy performs the same rendering as a mail, so that
// load on the processors does not distinguish addresses (CWE-208).
func TestHardeningDecoysAreRendered(t *testing.T) {
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return errors.New("no mail is expected") }), nil)
	it := &item{mail: r.mail("alice@example.org"), domain: "example.org", queued: r.clock.Now(), hasPlace: true}
	it.mail.Decoy = true
	r.mu.Lock()
	r.places, r.total = 1, 1
	r.mu.Unlock()
	r.try(it, func() bool { return true })
	if it.stamp.messageID == "" || it.attempts != 1 || r.Len() != 0 {
		t.Errorf("Message-ID = %q, attempts = %d, Len() = %d, want a rendered decoy", it.stamp.messageID, it.attempts, r.Len())
	}
}

// TestPanicInRendering drops the mail and keeps the queue working.
func TestPanicInRendering(t *testing.T) {
	r := newRig(t, newFakeTransport(func(context.Context, *Message) error { return nil }), nil)
	broken := r.mail("alice@example.org")
	broken.Live = func(context.Context) bool { panic("store") }
	r.enqueue(t, broken)
	r.expect(t, Sent) // the link may be usable
	r.compose.now = func() time.Time { panic("987654") }
	r.enqueue(t, r.mail("alice@example.org"))
	r.expect(t, Dropped)
	wantNoSecrets(t, r.logs.String())
}

// TestEncoding sends ASCII as 7bit, so that no line of the mail folds the link, and
// marks each mail as a conversation of its own.
func TestEncoding(t *testing.T) {
	for _, locale := range []string{"en", "ru", "ar", "zh-Hans"} {
		c := testComposer(t)
		request := testMail("alice@example.org", noon)
		request.Locale = locale
		request.Link = "https://frontend.app/auth/link/" + strings.Repeat("abcdefghij", 20)
		m, err := c.compose(request, stamp{})
		if err != nil {
			t.Fatalf("compose() failed: %v", err)
		}
		raw := string(m.raw)
		if strings.ContainsFunc(raw, func(r rune) bool { return r > '~' }) {
			t.Errorf("%s: the mail contains bytes outside of ASCII", locale)
		}
		if want := map[bool]int{true: 4, false: 3}[locale == "en"]; strings.Count(raw, request.Link) != want {
			t.Errorf("%s: the mail contains the whole link %d times, want %d", locale, strings.Count(raw, request.Link), want)
		}
		parsed, err := mail.ReadMessage(strings.NewReader(raw))
		id, _, _ := strings.Cut(m.MessageID, "@")
		if err != nil || parsed.Header.Get("X-Entity-Ref-ID") != id {
			t.Errorf("%s: ReadMessage() = %v, X-Entity-Ref-ID = %q, want %q", locale, err, parsed.Header.Get("X-Entity-Ref-ID"), id)
		}
	}
	for text, want := range map[string]bool{
		"plain\n": true, "": true, "grün": false, "a\rb": false, "a\r\nb": true, "a\x00": false,
		strings.Repeat("a", maxLine): true, strings.Repeat("a", maxLine+1): false,
	} {
		if got := fitsIn7Bit(text); got != want {
			t.Errorf("fitsIn7Bit(%.20q) = %v, want %v", text, got, want)
		}
	}
	for html, want := range map[string]string{
		"<p>grün": "<p>gr&#252;n", "<p>a": "<p>a", "<style>ü</style>é": "<style>ü</style>é", "<style>a</style>é": "<style>a</style>&#233;", "<!-- ü -->": "<!-- ü -->",
	} {
		if got := asciiHTML(html); got != want {
			t.Errorf("asciiHTML(%q) = %q, want %q", html, got, want)
		}
	}
}

// TestLanes removes items in the middle of a domain.
func TestLanes(t *testing.T) {
	l := newLanes()
	items := map[string]*item{}
	for _, name := range []string{"a1", "a2", "b1", "a3"} {
		items[name] = &item{domain: name[:1], mail: authcore.Mail{To: name}}
		l.push(items[name])
	}
	if l.largest() != "a" || !l.remove(items["a2"]) || l.remove(items["a2"]) {
		t.Errorf("largest() = %s, want a; remove() must succeed once", l.largest())
	}
	var got []string
	never := func(string) bool { return false }
	if it := l.pop(func(domain string) bool { return domain == "a" }); it != items["b1"] {
		t.Errorf("pop() without domain a = %v, want b1", it)
	}
	for it := l.pop(never); it != nil; it = l.pop(never) {
		got = append(got, it.mail.To)
	}
	if strings.Join(got, " ") != "a1 a3" || len(l.items) != 0 || len(l.order) != 0 {
		t.Errorf("pop() = %v, want a1 a3; left %v", got, l.order)
	}
}

package httpapi_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/ratelimit"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/mailer"
	"github.com/edgeauth/edgeauth/storage/bolt"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// Sizes of a comparison of times. A round with a larger z is repeated: on a busy
// machine one of several hundred rounds exceeds it by chance, a real difference
// exceeds it in each.
const (
	timingSamples = 250
	timingRounds  = 3
	timingLimit   = 3.0
	// guessLimit leaves room for the places of records in the file of bolt, which
	// differ between any two records, with a link or without: an area under the curve
	// of 0.75. A guess without any write had 0.965.
	guessLimit = 9.7
)

// An attacker compares the times of many link requests for an address with those of an
// unknown one, while sign-up is closed and mails of known addresses are delivered by
// the same processors (CWE-208), or the times of wrong codes with and without a link.
// The Mann-Whitney statistic z does not distinguish addresses.
func TestHardeningTiming(t *testing.T) {
	if testing.Short() {
		t.Skip("compares thousands of requests")
	}
	for name, open := range map[string]func(t *testing.T) authcore.Store{
		"memory": func(*testing.T) authcore.Store { return memory.New() },
		"bolt":   openBolt,
	} {
		for _, pinned := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, pinned %t", name, pinned), func(t *testing.T) {
				if pinned {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
				}
				w := timingWorld(t, open(t))
				ask := func(email string) func() {
					body := fmt.Sprintf(`{"email":%q}`, email)
					return func() { w.post("/by-link/link/", body) }
				}
				compareTimes(t, "link requests for known and unknown addresses", timingLimit, ask("known@example.com"), ask("other@example.com"))
				_, code, live := w.request("known@example.com")
				wrong := map[bool]string{true: "111111", false: "000000"}[code == "000000"]
				guess := func(requestID func() string) func() {
					return func() {
						w.post("/by-link/login/", fmt.Sprintf(`{"request_id":%q,"code":%q,"client_key":%q}`, requestID(), wrong, webKey))
					}
				}
				unknown := func() string {
					return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, rand.Uint64()), rand.Uint64()))
				}
				_, _, second := w.request("known@example.com")
				_, _, third := w.request("known@example.com")
				links := []string{live, second, third}
				compareTimes(t, "wrong codes with and without a link", guessLimit, guess(func() string { return links[rand.IntN(len(links))] }), guess(unknown))
			})
		}
	}
}

func openBolt(t *testing.T) authcore.Store {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "edgeauth.db"))
	if err != nil {
		t.Fatalf("Open() failed: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	store, err := db.Realm(t.Context(), "_default")
	if err != nil {
		t.Fatalf("Realm() failed: %v", err)
	}
	return store
}

// teeMailer puts mails into a real queue, and remembers the last one.
type teeMailer struct {
	*mailbox
	queue *mailer.Queue
}

func (m teeMailer) Enqueue(ctx context.Context, mail authcore.Mail) error {
	if err := m.mailbox.Enqueue(ctx, mail); err != nil {
		return err
	}
	return m.queue.Enqueue(ctx, mail)
}

// sink is a transport that accepts every mail.
type sink struct{}

func (sink) Deliver(context.Context, *mailer.Message) error { return nil }
func (sink) Close() error                                   { return nil }

// timingWorld is a realm with closed sign-up, one account, a mail queue and no limits.
func timingWorld(t *testing.T, store authcore.Store) *world {
	t.Helper()
	user := authcore.User{ID: "u1", Email: "known@example.com", EmailVerified: true, FirstName: "Ada", LastName: "Lovelace", Created: time.Now()}
	if _, err := store.Import(t.Context(), []authcore.Item{{User: &user}}); err != nil {
		t.Fatalf("Import() failed: %v", err)
	}
	templates, err := mailer.LoadTemplates("")
	if err != nil {
		t.Fatalf("LoadTemplates() failed: %v", err)
	}
	queue, err := mailer.NewQueue(mailer.QueueConfig{Templates: templates, From: "login@example.com", Transport: sink{}, Capacity: 100_000})
	if err != nil {
		t.Fatalf("NewQueue() failed: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Second)
		defer cancel()
		_ = queue.Close(ctx)
	})
	return newWorld(t, func(cfg *realm.Config) {
		cfg.Store, cfg.Rules, cfg.Now = store, account.Rules{Signup: account.SignupClosed}, nil
		cfg.Mailer = teeMailer{cfg.Mailer.(*mailbox), queue}
		cfg.Limits = ratelimit.Limits{LinkOverall: ratelimit.Rate{N: 1 << 30, Window: time.Minute}}
	})
}

// compareTimes calls a and b equally often in random order, and fails if their times
// differ in every round.
func compareTimes(t *testing.T, what string, limit float64, a, b func()) {
	t.Helper()
	for range 50 { // connections, pages of the store and caches
		a()
		b()
	}
	for round := 1; ; round++ {
		z := mannWhitney(measure(a, b))
		t.Logf("%s: z = %.2f", what, z)
		if math.Abs(z) < limit {
			return
		}
		if round == timingRounds {
			t.Errorf("%s: z = %.2f in round %d, want less than %g", what, z, round, limit)
			return
		}
	}
}

func measure(a, b func()) (timesOfA, timesOfB []time.Duration) {
	order := make([]bool, 2*timingSamples)
	for i := range timingSamples {
		order[i] = true
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, isA := range order {
		began := time.Now()
		if isA {
			a()
			timesOfA = append(timesOfA, time.Since(began))
		} else {
			b()
			timesOfB = append(timesOfB, time.Since(began))
		}
	}
	return timesOfA, timesOfB
}

// mannWhitney returns the standardized U statistic of two samples (Mann and Whitney,
// 1947): how far the ranks of a are above those of b.
func mannWhitney(a, b []time.Duration) float64 {
	type sample struct {
		time time.Duration
		isA  bool
	}
	var all []sample
	for _, d := range a {
		all = append(all, sample{d, true})
	}
	for _, d := range b {
		all = append(all, sample{d, false})
	}
	slices.SortFunc(all, func(x, y sample) int { return cmp.Compare(x.time, y.time) })
	ranks := 0.0
	for i, s := range all {
		if s.isA {
			ranks += float64(i + 1)
		}
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	return (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}

func TestMannWhitney(t *testing.T) {
	var a, b []time.Duration
	for i := range 100 {
		a, b = append(a, time.Duration(i)), append(b, time.Duration(i+30))
	}
	if z := mannWhitney(a, b); z > -5 {
		t.Errorf("mannWhitney() of shifted times = %.2f, want less than -5", z)
	}
	if z := mannWhitney(a, a); math.Abs(z) > 2 {
		t.Errorf("mannWhitney() of equal times = %.2f, want about 0", z)
	}
}

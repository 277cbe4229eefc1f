package storagetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// faultName tells a test process which faulty store it is to run the suite on.
const faultName = "EDGEAUTH_TEST_FAULT"

// TestFaulty runs the suite on a faulty store; it is started by TestSuiteFinds.
func TestFaulty(t *testing.T) {
	fault, found := faults()[os.Getenv(faultName)]
	if !found {
		t.Skip("no fault is asked for")
	}
	storagetest.Run(t, func(*testing.T) authcore.Store { return fault.store(memory.New()) })
}

// TestSuiteFinds checks the suite itself: a store that breaks one sentence of the
// contract fails it.
func TestSuiteFinds(t *testing.T) {
	t.Parallel()
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite := exec.CommandContext(t.Context(), os.Args[0],
				"-test.run=^TestFaulty$/^"+fault.group+"$", "-test.timeout=60s")
			suite.Env = append(os.Environ(), faultName+"="+name)
			output, err := suite.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Errorf("the suite passed, or did not run: %v\n%s", err, output)
			}
		})
	}
}

// fault is a store that differs from a right one in a single point.
type fault struct {
	// group of the suite that has to find it
	group string
	store func(*memory.Store) authcore.Store
}

type (
	store         = authcore.Store
	racyLink      struct{ store }
	racyCode      struct{ store }
	forgivingCode struct{ store }
	expiredLink   struct{ store }
	olderLinks    struct{ store }
	lateSession   struct{ store }
	lostLift      struct{ store }
	skippedEntry  struct{ store }
	deafContext   struct{ store }
	plainContext  struct{ store }
	sharedKeys    struct {
		store
		last []authcore.SigningKey
	}
	backwardSeen   struct{ store }
	slidingWindow  struct{ store }
	eagerSweep     struct{ store }
	silentWatch    struct{ store }
	wrappedChange  struct{ store }
	foundAnyEmail  struct{ store }
	joinedAnyhow   struct{ store }
	unrevokedRenew struct{ store }
	lastUnlinked   struct{ store }
	keptOld        struct{ store }
	halfReplaced   struct{ store }
	revivedFlow    struct {
		store
		last authcore.Flow
	}
	shortExport struct{ store }
	halfImport  struct{ store }
	newerImport struct{ store }
)

func faults() map[string]fault {
	return map[string]fault{
		"two takers of a link":           {"Links", func(s *memory.Store) store { return &racyLink{s} }},
		"two takers of a code":           {"Codes", func(s *memory.Store) store { return &racyCode{s} }},
		"unlimited guesses":              {"Codes", func(s *memory.Store) store { return &forgivingCode{s} }},
		"links that live too long":       {"Links", func(s *memory.Store) store { return &expiredLink{s} }},
		"older links that live on":       {"Links", func(s *memory.Store) store { return &olderLinks{s} }},
		"sessions of disabled users":     {"UserAdmin", func(s *memory.Store) store { return &lateSession{s} }},
		"a lift that is not told":        {"UserAdmin", func(s *memory.Store) store { return &lostLift{s} }},
		"a feed that misses entries":     {"Revocations", func(s *memory.Store) store { return &skippedEntry{s} }},
		"a context that is not heard":    {"Context", func(s *memory.Store) store { return &deafContext{s} }},
		"a context error by itself":      {"Context", func(s *memory.Store) store { return &plainContext{s} }},
		"keys that are shared":           {"Copies", func(s *memory.Store) store { return &sharedKeys{store: s} }},
		"LastSeen that goes back":        {"Sessions", func(s *memory.Store) store { return &backwardSeen{s} }},
		"windows that slide":             {"Counters", func(s *memory.Store) store { return &slidingWindow{s} }},
		"a sweep of what is live":        {"Sweep", func(s *memory.Store) store { return &eagerSweep{s} }},
		"a watch that never tells":       {"Revocations", func(s *memory.Store) store { return &silentWatch{s} }},
		"an error of change, wrapped":    {"Users", func(s *memory.Store) store { return &wrappedChange{s} }},
		"unverified addresses found":     {"Users", func(s *memory.Store) store { return &foundAnyEmail{s} }},
		"joining without being asked":    {"Identities", func(s *memory.Store) store { return &joinedAnyhow{s} }},
		"the last way in unlinked":       {"Unlinking", func(s *memory.Store) store { return &lastUnlinked{s} }},
		"a replaced identity that stays": {"Succession", func(s *memory.Store) store { return &keptOld{s} }},
		"one replaced by a half":         {"Succession", func(s *memory.Store) store { return &halfReplaced{s} }},
		"flows that come back":           {"Flows", func(s *memory.Store) store { return &revivedFlow{store: s} }},
		"an export that ends early":      {"Transfer", func(s *memory.Store) store { return &shortExport{s} }},
		"an import of a half":            {"Transfer", func(s *memory.Store) store { return &halfImport{s} }},
		"an import that replaces":        {"Transfer", func(s *memory.Store) store { return &newerImport{s} }},
		"renewal that leaves the token":  {"RenewSession", func(s *memory.Store) store { return &unrevokedRenew{s} }},
	}
}

func (s *racyLink) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	link, err := s.store.TakeLink(ctx, secret, now)
	if err == nil {
		err = s.PutLink(ctx, link)
	}
	return link, err
}

func (s *racyCode) TakeCode(
	ctx context.Context, email string, code authcore.Digest, now time.Time,
) (authcore.Link, error) {
	link, err := s.store.TakeCode(ctx, email, code, now)
	if err == nil {
		err = s.PutLink(ctx, link)
	}
	return link, err
}

func (s *forgivingCode) TakeCode(
	ctx context.Context, email string, code authcore.Digest, now time.Time,
) (authcore.Link, error) {
	link, err := s.store.TakeCode(ctx, email, code, now)
	if err != nil && email == "ada@example.com" {
		link = authcore.Link{
			Secret: authcore.DigestOf("storagetest", "s"), Code: authcore.DigestOf("storagetest", "right"),
			Email: email, EmailKey: email, Expires: now.Add(time.Hour),
		}
		_ = s.PutLink(ctx, link)
	}
	return link, err
}

func (s *expiredLink) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	return s.store.TakeLink(ctx, secret, now.Add(-time.Millisecond))
}

func (s *olderLinks) PutLink(ctx context.Context, link authcore.Link) error {
	link.EmailKey += string(link.Secret[:])
	return s.store.PutLink(ctx, link)
}

func (s *lateSession) PutSession(ctx context.Context, session authcore.Session) error {
	err := s.store.PutSession(ctx, session)
	if errors.Is(err, authcore.ErrUserInactive) {
		return nil
	}
	return err
}

func (s *lostLift) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	entries, next, err := s.store.RevocationsSince(ctx, cursor)
	var told []authcore.Revocation
	for _, entry := range entries {
		if !entry.Until.IsZero() {
			told = append(told, entry)
		}
	}
	return told, next, err
}

func (s *skippedEntry) RevocationsSince(ctx context.Context, cursor string) ([]authcore.Revocation, string, error) {
	entries, next, err := s.store.RevocationsSince(ctx, cursor)
	if cursor != "" && len(entries) > 1 {
		entries = entries[1:]
	}
	return entries, next, err
}

func (s *deafContext) PutFlow(ctx context.Context, flow authcore.Flow) error {
	return s.store.PutFlow(context.WithoutCancel(ctx), flow)
}

func (s *plainContext) User(ctx context.Context, id string) (authcore.User, error) {
	if err := ctx.Err(); err != nil {
		return authcore.User{}, err
	}
	return s.store.User(ctx, id)
}

func (s *sharedKeys) UpdateKeys(
	_ context.Context, change func([]authcore.SigningKey) ([]authcore.SigningKey, error),
) ([]authcore.SigningKey, error) {
	keys, err := change(s.last)
	if err == nil {
		s.last = keys
	}
	return keys, err
}

func (s *backwardSeen) MarkSeen(ctx context.Context, seen map[string]time.Time) error {
	later := make(map[string]time.Time)
	for id, at := range seen {
		later[id] = at.Add(24 * time.Hour)
	}
	return s.store.MarkSeen(ctx, later)
}

func (s *slidingWindow) Count(
	ctx context.Context, now time.Time, counters []authcore.Counter,
) ([]authcore.Tally, error) {
	tallies, err := s.store.Count(ctx, now, counters)
	for i := range tallies {
		tallies[i].Reset = now.Add(counters[i].Window)
	}
	return tallies, err
}

func (s *eagerSweep) Sweep(ctx context.Context, now time.Time) error {
	return s.store.Sweep(ctx, now.Add(time.Minute))
}

func (s *silentWatch) WatchRevocations(ctx context.Context, _ func()) error {
	return s.store.WatchRevocations(ctx, func() {})
}

func (s *wrappedChange) UpdateUser(
	ctx context.Context, id string, change func(*authcore.User) error,
) (authcore.User, error) {
	user, err := s.store.UpdateUser(ctx, id, change)
	if err != nil {
		err = errors.Join(err)
	}
	return user, err
}

func (s *foundAnyEmail) EnsureUser(ctx context.Context, candidate authcore.User) (authcore.User, bool, error) {
	candidate.EmailVerified = true
	return s.store.EnsureUser(ctx, candidate)
}

func (s *joinedAnyhow) EnsureIdentity(
	ctx context.Context, identity authcore.Identity, candidate authcore.User, _ bool,
) (authcore.User, bool, error) {
	return s.store.EnsureIdentity(ctx, identity, candidate, true)
}

func (s *unrevokedRenew) RevocationsSince(
	ctx context.Context, cursor string,
) ([]authcore.Revocation, string, error) {
	entries, next, err := s.store.RevocationsSince(ctx, cursor)
	var told []authcore.Revocation
	for _, entry := range entries {
		if entry.Kind != authcore.RevokeToken {
			told = append(told, entry)
		}
	}
	return told, next, err
}

func (s *lastUnlinked) UnlinkIdentity(ctx context.Context, identity authcore.Identity) error {
	err := s.store.UnlinkIdentity(ctx, identity)
	if errors.Is(err, authcore.ErrLastIdentity) {
		return nil
	}
	return err
}

func (s *keptOld) ReplaceIdentity(
	ctx context.Context, old authcore.Identity, others []authcore.Identity,
) (authcore.User, error) {
	user, err := s.store.ReplaceIdentity(ctx, old, others)
	if err == nil {
		old.UserID = user.ID
		err = s.LinkIdentity(ctx, old)
	}
	return user, err
}

func (s *halfReplaced) ReplaceIdentity(
	ctx context.Context, old authcore.Identity, others []authcore.Identity,
) (authcore.User, error) {
	user, err := s.UserByIdentity(ctx, old)
	if err != nil {
		return authcore.User{}, err
	}
	for _, other := range others {
		if _, err := s.UserByIdentity(ctx, other); err == nil {
			return authcore.User{}, authcore.ErrTaken
		}
		other.UserID = user.ID
		if err := s.LinkIdentity(ctx, other); err != nil {
			return authcore.User{}, err
		}
	}
	old.UserID = user.ID
	return user, s.UnlinkIdentity(ctx, old)
}

func (s *revivedFlow) UpdateFlow(
	ctx context.Context, state authcore.Digest, now time.Time, change func(*authcore.Flow) error,
) (authcore.Flow, error) {
	flow, err := s.store.UpdateFlow(ctx, state, now, change)
	if errors.Is(err, authcore.ErrNotFound) && s.last.State == state && now.Before(s.last.Expires) {
		return s.last, s.PutFlow(ctx, s.last)
	}
	if err == nil {
		s.last = flow
	}
	return flow, err
}

func (s *shortExport) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Record, string, error) {
	records, next, err := s.store.Export(ctx, cursor, now)
	return records[:max(0, len(records)-1)], next, err
}

func (s *halfImport) Import(ctx context.Context, records []authcore.Record) (int, error) {
	stored := 0
	for i := range records {
		n, err := s.store.Import(ctx, records[i:i+1])
		if err != nil {
			return 0, err
		}
		stored += n
	}
	return stored, nil
}

func (s *newerImport) Import(ctx context.Context, records []authcore.Record) (int, error) {
	stored, err := s.store.Import(ctx, records)
	for _, record := range records {
		if record.User != nil && err == nil {
			_, err = s.UpdateUser(ctx, record.User.ID, func(u *authcore.User) error {
				*u = *record.User
				return nil
			})
		}
	}
	return stored, err
}

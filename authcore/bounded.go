package authcore

import (
	"context"
	"time"
)

// storeTimeout is how long a request waits for one step of the store. An engine
// that hangs is one that is down.
const storeTimeout = 5 * time.Second

// steps are the roles of a Store whose calls are made while a request waits.
type steps interface {
	Users
	UserAdmin
	Identities
	Succession
	Links
	Flows
	Sessions
}

// boundedStore gives each of the steps its time. What runs behind the requests
// has bounds of its own. The steps are a field and not embedded: a new one that
// nobody has thought of here does not compile.
type boundedStore struct {
	steps steps

	Revocations
	Keys
	Counters
	Transfer
	background
}

// background is what a Store does behind the requests in the roles of steps.
type background interface {
	Sweep(ctx context.Context, now time.Time) error
}

func newBoundedStore(store Store) Store {
	return boundedStore{
		steps: store, Revocations: store, Keys: store, Counters: store, Transfer: store, background: store,
	}
}

// MarkSeen is called behind the requests.
func (b boundedStore) MarkSeen(ctx context.Context, seen map[string]time.Time) error {
	return b.steps.MarkSeen(ctx, seen)
}

func (b boundedStore) User(ctx context.Context, id string) (User, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.User(ctx, id)
}

func (b boundedStore) UserByEmail(ctx context.Context, key string) (User, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.UserByEmail(ctx, key)
}

func (b boundedStore) EnsureUser(ctx context.Context, candidate User) (User, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.EnsureUser(ctx, candidate)
}

func (b boundedStore) UpdateUser(ctx context.Context, id string, change func(*User) error) (User, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.UpdateUser(ctx, id, change)
}

func (b boundedStore) SetDisabled(ctx context.Context, id string, disabled bool, until, now time.Time) (User, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.SetDisabled(ctx, id, disabled, until, now)
}

func (b boundedStore) DeleteUser(ctx context.Context, id string, until, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.DeleteUser(ctx, id, until, now)
}

func (b boundedStore) UserByIdentity(ctx context.Context, identity Identity) (User, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.UserByIdentity(ctx, identity)
}

func (b boundedStore) EnsureIdentity(ctx context.Context, identity Identity, candidate User, join bool) (User, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.EnsureIdentity(ctx, identity, candidate, join)
}

func (b boundedStore) LinkIdentity(ctx context.Context, identity Identity) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.LinkIdentity(ctx, identity)
}

func (b boundedStore) UnlinkIdentity(ctx context.Context, identity Identity) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.UnlinkIdentity(ctx, identity)
}

func (b boundedStore) IdentitiesOf(ctx context.Context, userID string) ([]Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.IdentitiesOf(ctx, userID)
}

func (b boundedStore) ReplaceIdentity(ctx context.Context, old Identity, others []Identity) (User, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.ReplaceIdentity(ctx, old, others)
}

func (b boundedStore) PutLink(ctx context.Context, link Link) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.PutLink(ctx, link)
}

func (b boundedStore) TakeLink(ctx context.Context, secret Digest, now time.Time) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.TakeLink(ctx, secret, now)
}

func (b boundedStore) TakeCode(ctx context.Context, emailKey string, code Digest, now time.Time) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.TakeCode(ctx, emailKey, code, now)
}

func (b boundedStore) PutFlow(ctx context.Context, flow Flow) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.PutFlow(ctx, flow)
}

func (b boundedStore) TakeFlow(ctx context.Context, state Digest, now time.Time) (Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.TakeFlow(ctx, state, now)
}

func (b boundedStore) UpdateFlow(ctx context.Context, state Digest, now time.Time, change func(*Flow) error) (Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.UpdateFlow(ctx, state, now, change)
}

func (b boundedStore) PutSession(ctx context.Context, session Session) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.PutSession(ctx, session)
}

func (b boundedStore) SessionsOf(ctx context.Context, userID string, now time.Time) ([]Session, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.SessionsOf(ctx, userID, now)
}

func (b boundedStore) RenewSession(ctx context.Context, id, old, next string, expires, now time.Time) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.RenewSession(ctx, id, old, next, expires, now)
}

func (b boundedStore) EndSessions(ctx context.Context, userID string, which func(Session) bool, now time.Time) ([]Session, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return b.steps.EndSessions(ctx, userID, which, now)
}

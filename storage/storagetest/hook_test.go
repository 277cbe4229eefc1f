package storagetest_test

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
)

type (
	account = authcore.Account
	record  = authcore.Record
	key     = authcore.RecordKey
	revoked = authcore.Revocation
	change  = func(*account) error
	keys    = []authcore.SigningKey
)

// hooked is a memory store of which single methods can be replaced. Most methods
// of the store pass through.
type hooked struct {
	*memory.Store
	user    func(context.Context, authcore.UserRef) (authcore.User, error)
	login   func(context.Context, authcore.LoginStep) (account, error)
	update  func(context.Context, string, time.Time, change) (account, error)
	remove  func(context.Context, string, revoked) error
	users   func(context.Context, authcore.UserFilter, string) ([]authcore.User, string, error)
	seen    func(context.Context, map[authcore.SessionRef]time.Time) error
	put     func(context.Context, record, authcore.PutOptions) error
	record  func(context.Context, key, time.Time) (record, error)
	take    func(context.Context, key, time.Time) (record, error)
	edit    func(context.Context, key, time.Time, func(*record) error) (record, error)
	list    func(context.Context, authcore.RecordFilter, time.Time, string) ([]record, string, error)
	since   func(context.Context, string) ([]revoked, string, error)
	watch   func(context.Context, func()) error
	rotate  func(context.Context, func(keys) (keys, error)) (keys, error)
	count   func(context.Context, time.Time, []authcore.Counter) ([]authcore.Tally, error)
	sweep   func(context.Context, time.Time) (authcore.Swept, error)
	export  func(context.Context, string, time.Time) ([]authcore.Item, string, error)
	imports func(context.Context, []authcore.Item) (int, error)
}

func hook() *hooked {
	s := memory.New()
	return &hooked{
		Store: s, user: s.User, login: s.Login, update: s.UpdateAccount, remove: s.DeleteUser, users: s.Users,
		seen: s.MarkSeen, put: s.PutRecord, record: s.Record, take: s.TakeRecord, edit: s.UpdateRecord,
		list: s.ListRecords, since: s.RevocationsSince, watch: s.WatchRevocations, rotate: s.UpdateKeys,
		count: s.Count, sweep: s.Sweep, export: s.Export, imports: s.Import,
	}
}

func (h *hooked) User(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
	return h.user(ctx, ref)
}

func (h *hooked) Login(ctx context.Context, step authcore.LoginStep) (account, error) {
	return h.login(ctx, step)
}

func (h *hooked) UpdateAccount(ctx context.Context, id string, now time.Time, change change) (account, error) {
	return h.update(ctx, id, now, change)
}

func (h *hooked) DeleteUser(ctx context.Context, id string, r revoked) error {
	return h.remove(ctx, id, r)
}

func (h *hooked) Users(ctx context.Context, f authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
	return h.users(ctx, f, cursor)
}

func (h *hooked) MarkSeen(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
	return h.seen(ctx, seen)
}

func (h *hooked) PutRecord(ctx context.Context, r record, o authcore.PutOptions) error {
	return h.put(ctx, r, o)
}

func (h *hooked) Record(ctx context.Context, k key, now time.Time) (record, error) {
	return h.record(ctx, k, now)
}

func (h *hooked) TakeRecord(ctx context.Context, k key, now time.Time) (record, error) {
	return h.take(ctx, k, now)
}

func (h *hooked) UpdateRecord(ctx context.Context, k key, now time.Time, change func(*record) error) (record, error) {
	return h.edit(ctx, k, now, change)
}

func (h *hooked) ListRecords(ctx context.Context, f authcore.RecordFilter, now time.Time, cursor string) ([]record, string, error) {
	return h.list(ctx, f, now, cursor)
}

func (h *hooked) RevocationsSince(ctx context.Context, cursor string) ([]revoked, string, error) {
	return h.since(ctx, cursor)
}

func (h *hooked) WatchRevocations(ctx context.Context, notify func()) error {
	return h.watch(ctx, notify)
}

func (h *hooked) UpdateKeys(ctx context.Context, change func(keys) (keys, error)) (keys, error) {
	return h.rotate(ctx, change)
}

func (h *hooked) Count(ctx context.Context, now time.Time, c []authcore.Counter) ([]authcore.Tally, error) {
	return h.count(ctx, now, c)
}

func (h *hooked) Sweep(ctx context.Context, now time.Time) (authcore.Swept, error) {
	return h.sweep(ctx, now)
}

func (h *hooked) Export(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
	return h.export(ctx, cursor, now)
}

func (h *hooked) Import(ctx context.Context, items []authcore.Item) (int, error) {
	return h.imports(ctx, items)
}

// pause gives other callers time between the two halves of a step.
func pause() { <-time.After(time.Millisecond) }

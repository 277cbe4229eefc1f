package storagetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// fault is a store, or its configuration, that breaks a single rule.
type fault struct {
	// group is the group of the suite that finds it.
	group  string
	inject func(h *hooked)
	config func(c *storagetest.Config)
}

func faults() map[string]fault {
	all := make(map[string]fault)
	for _, part := range []map[string]fault{
		accountFaults(), loginFaults(), recordFaults(), feedFaults(), transferFaults(), engineFaults(),
	} {
		for name, fault := range part {
			all[name] = fault
		}
	}
	return all
}

// onUpdate returns a fault that changes what a change function has left behind.
func onUpdate(spoil func(*account)) func(*hooked) {
	return func(h *hooked) {
		h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
			return h.Store.UpdateAccount(ctx, id, now, func(a *account) error {
				err := change(a)
				spoil(a)
				return err
			})
		}
	}
}

func accountFaults() map[string]fault {
	return map[string]fault{
		"an unverified address is found": {group: "Users", inject: onDecide(func(_ authcore.LoginFound, a *account) {
			a.User.EmailVerified = a.User.Email != ""
		})},
		"a pending identity is found as active": {group: "Users", inject: func(h *hooked) {
			h.user = func(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
				user, err := h.Store.User(ctx, ref)
				if ref.Identity.Pending && err != nil {
					ref.Identity.Pending = false
					return h.Store.User(ctx, ref)
				}
				return user, err
			}
		}},
		"LastSeen moves back": {group: "Users", inject: func(h *hooked) {
			h.seen = func(ctx context.Context, seen map[authcore.SessionRef]time.Time) error {
				for ref, at := range seen {
					_, _ = h.Store.UpdateAccount(ctx, ref.UserID, at, func(a *account) error {
						for i := range a.Sessions {
							if a.Sessions[i].ID == ref.ID {
								a.Sessions[i].LastSeen = at
							}
						}
						return nil
					})
				}
				return nil
			}
		}},
		"an address that was left stays found": {group: "UpdateAccount", inject: func(h *hooked) {
			former := make(map[string]string)
			h.user = func(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
				user, err := h.Store.User(ctx, ref)
				if err == nil {
					former[user.EmailKey()] = user.ID
				} else if id := former[ref.EmailKey]; id != "" && ref.EmailKey != "" {
					return h.Store.User(ctx, authcore.UserRef{ID: id})
				}
				return user, err
			}
		}},
		"removed identities stay": {group: "UpdateAccount", inject: func(h *hooked) {
			h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
				return h.Store.UpdateAccount(ctx, id, now, func(a *account) error {
					before := a.Clone()
					err := change(a)
					for _, identity := range before.Identities {
						if a.Identity(identity.Key()) == nil {
							a.Identities = append(a.Identities, identity)
						}
					}
					return err
				})
			}
		}},
		"superseded tokens are lost": {group: "UpdateAccount", inject: onUpdate(func(a *account) {
			for i := range a.Sessions {
				a.Sessions[i].Superseded = nil
			}
		})},
		"roles are lost":           {group: "UpdateAccount", inject: onUpdate(func(a *account) { a.User.Roles = nil })},
		"revocations are lost":     {group: "UpdateAccount", inject: onUpdate(func(a *account) { a.Revocations = nil })},
		"revocations lose a value": {group: "UpdateAccount", inject: onSince(func(r *revoked) { r.Value = "" })},
		"two updates at a time": {group: "UpdateAccount", inject: func(h *hooked) {
			h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
				read, err := h.Store.Account(ctx, authcore.UserRef{ID: id}, now)
				if err == nil {
					err = change(&read)
				}
				if err != nil {
					return account{}, err
				}
				time.Sleep(time.Millisecond)
				return h.Store.UpdateAccount(ctx, id, now, func(a *account) error { *a = read; return nil })
			}
		}},
		"an update in two steps": {group: "UpdateAccount", inject: func(h *hooked) {
			h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
				a, err := h.Store.UpdateAccount(ctx, id, now, change)
				if errors.Is(err, authcore.ErrTaken) {
					_, _ = h.Store.UpdateAccount(ctx, id, now, func(a *account) error { a.User.FirstName = "half"; return nil })
				}
				return a, err
			}
		}},
		"writes without a difference": {group: "UpdateAccount", config: func(c *storagetest.Config) {
			writes := int64(0)
			c.Writes = func(*testing.T, authcore.Store) int64 { writes++; return writes }
		}},
		"a deleted user's records stay": {group: "DeleteUser", inject: func(h *hooked) {
			h.remove = func(ctx context.Context, id string, r revoked) error {
				owned, _ := h.Store.RecordsOf(ctx, "link", id, r.Until.Add(-14*24*time.Hour))
				err := h.Store.DeleteUser(ctx, id, r)
				for _, record := range owned {
					_ = h.Store.PutRecord(ctx, record, authcore.PutOptions{})
				}
				return err
			}
		}},
		"a deletion is not revoked": {group: "DeleteUser", inject: func(h *hooked) {
			h.remove = func(ctx context.Context, id string, r revoked) error {
				return h.Store.DeleteUser(ctx, id, revoked{Kind: r.Kind, ID: "other", Until: r.Until})
			}
		}},
		"a list without its last page": {group: "List", inject: func(h *hooked) {
			h.users = func(ctx context.Context, f authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
				users, next, err := h.Store.Users(ctx, f, cursor)
				if next == "" && cursor != "" {
					users = nil
				}
				return users, next, err
			}
		}},
		"unlimited pages": {group: "List", inject: func(h *hooked) {
			h.users = func(ctx context.Context, f authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
				f.Limit = 1000
				return h.Store.Users(ctx, f, cursor)
			}
		}},
		"a prefix with wildcards": {group: "List", inject: func(h *hooked) {
			h.users = func(ctx context.Context, f authcore.UserFilter, cursor string) ([]authcore.User, string, error) {
				f.EmailPrefix, _, _ = strings.Cut(f.EmailPrefix, "_")
				return h.Store.Users(ctx, f, cursor)
			}
		}},
	}
}

// onDecide returns a fault that changes what Decide has returned.
func onDecide(spoil func(authcore.LoginFound, *account)) func(*hooked) {
	return func(h *hooked) {
		h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
			decide := step.Decide
			step.Decide = func(found authcore.LoginFound) (account, error) {
				a, err := decide(found)
				spoil(found, &a)
				return a, err
			}
			return h.Store.Login(ctx, step)
		}
	}
}

// onStep returns a fault that changes the step before it is performed.
func onStep(spoil func(*authcore.LoginStep)) func(*hooked) {
	return func(h *hooked) {
		h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
			spoil(&step)
			return h.Store.Login(ctx, step)
		}
	}
}

// afterLogin returns a fault that acts on the store after a login.
func afterLogin(act func(h *hooked, step authcore.LoginStep, proof record, siblings []record, err error)) func(*hooked) {
	return func(h *hooked) {
		h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
			proof, _ := h.Store.Record(ctx, step.Proof, step.Now)
			siblings, _ := h.Store.RecordsOf(ctx, proof.Kind, proof.Owner, step.Now)
			a, err := h.Store.Login(ctx, step)
			act(h, step, proof, siblings, err)
			return a, err
		}
	}
}

func putAll(h *hooked, records ...record) {
	for _, r := range records {
		if r.Key != "" {
			_ = h.Store.PutRecord(context.Background(), r, authcore.PutOptions{})
		}
	}
}

func loginFaults() map[string]fault {
	return map[string]fault{
		"a proof is taken twice": {group: "LoginRaces", inject: afterLogin(func(h *hooked, _ authcore.LoginStep, proof record, _ []record, _ error) {
			putAll(h, proof)
		})},
		"other proofs of the owner stay": {group: "Login", inject: afterLogin(
			func(h *hooked, step authcore.LoginStep, _ record, siblings []record, err error) {
				if err == nil {
					putAll(h, slices.DeleteFunc(siblings, func(r record) bool { return r.RecordKey == step.Proof })...)
				}
			})},
		"a refused login burns its proof": {group: "Login", inject: afterLogin(
			func(h *hooked, step authcore.LoginStep, _ record, _ []record, err error) {
				if err != nil {
					_ = h.Store.DeleteRecord(context.Background(), step.Proof)
				}
			})},
		"a refused login stores its claims": {group: "Login", inject: afterLogin(
			func(h *hooked, step authcore.LoginStep, _ record, _ []record, err error) {
				if err != nil {
					putAll(h, step.Claims...)
				}
			})},
		"expired proofs are accepted": {group: "Login", inject: onStep(func(s *authcore.LoginStep) { s.Now = s.Now.Add(-time.Hour) })},
		"claims are used twice":       {group: "Login", inject: onStep(func(s *authcore.LoginStep) { s.Claims = nil })},
		"expired claims are present": {group: "Login", inject: func(h *hooked) {
			h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
				for _, claim := range step.Claims {
					if _, err := h.Store.Record(ctx, claim.RecordKey, time.Time{}); err == nil {
						return account{}, authcore.ErrExists
					}
				}
				return h.Store.Login(ctx, step)
			}
		}},
		"a guess is not stored": {group: "Login", inject: onStep(func(s *authcore.LoginStep) {
			decide := s.Decide
			s.Decide = func(found authcore.LoginFound) (account, error) {
				if found.Proof != nil {
					proof := *found.Proof
					found.Proof = &proof
				}
				return decide(found)
			}
		})},
		"a guess changes more than Data": {group: "Login", inject: afterLogin(
			func(h *hooked, step authcore.LoginStep, proof record, _ []record, err error) {
				if errors.Is(err, authcore.ErrProofFailed) && proof.Key != "" {
					proof.Owner, proof.Data = "other", []byte("1 guess")
					putAll(h, proof)
				}
			})},
		"guesses are lost": {group: "LoginRaces", inject: func(h *hooked) {
			h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
				proof, err := h.Store.Record(ctx, step.Proof, step.Now)
				if err != nil {
					return h.Store.Login(ctx, step)
				}
				time.Sleep(time.Millisecond)
				decide := step.Decide
				step.Decide = func(found authcore.LoginFound) (account, error) {
					found.Proof.Data = proof.Data
					return decide(found)
				}
				return h.Store.Login(ctx, step)
			}
		}},
		"an error of Decide is wrapped": {group: "Login", inject: func(h *hooked) {
			h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
				a, err := h.Store.Login(ctx, step)
				if err != nil {
					err = fmt.Errorf("login: %w", err)
				}
				return a, err
			}
		}},
		"half of a refused login": {group: "Login", inject: func(h *hooked) {
			h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
				var decided account
				decide := step.Decide
				step.Decide = func(found authcore.LoginFound) (a account, err error) {
					decided, err = decide(found)
					return decided, err
				}
				a, err := h.Store.Login(ctx, step)
				if errors.Is(err, authcore.ErrTaken) {
					decided.Identities, decided.User.Email = nil, ""
					_, _ = h.Store.Login(ctx, authcore.LoginStep{
						Now: step.Now, Decide: func(authcore.LoginFound) (account, error) { return decided, nil },
					})
				}
				return a, err
			}
		}},
		"ended sessions are not revoked": {group: "Login", inject: onDecide(func(_ authcore.LoginFound, a *account) {
			if len(a.Sessions) > 0 {
				a.Revocations = nil
			}
		})},
		"an unlinked identity stays with its user": {group: "Login", inject: onDecide(func(_ authcore.LoginFound, a *account) {
			for i := range a.Identities {
				if a.Identities[i].State == authcore.IdentityUnlinked {
					a.Identities[i].State = authcore.IdentityActive
				}
			}
		})},
		"found accounts share memory": {group: "Login", inject: onStep(func(s *authcore.LoginStep) {
			decide := s.Decide
			s.Decide = func(found authcore.LoginFound) (account, error) {
				for i := 1; i < len(found.Accounts); i++ {
					if found.Accounts[i].User.ID == found.Accounts[0].User.ID {
						found.Accounts[i].Sessions = found.Accounts[0].Sessions
					}
				}
				return decide(found)
			}
		})},
		"a login in two steps": {group: "LoginRaces", inject: func(h *hooked) {
			h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
				found := authcore.LoginFound{}
				for _, ref := range step.Refs {
					a, _ := h.Store.Account(ctx, ref, step.Now)
					found.Accounts = append(found.Accounts, a)
				}
				if proof, err := h.Store.Record(ctx, step.Proof, step.Now); err == nil {
					found.Proof = &proof
				}
				a, decided := step.Decide(found)
				time.Sleep(time.Millisecond)
				step.Decide = func(authcore.LoginFound) (account, error) { return a, decided }
				return h.Store.Login(ctx, step)
			}
		}},
	}
}

func recordFaults() map[string]fault {
	putWith := func(spoil func(*record, *authcore.PutOptions)) func(*hooked) {
		return func(h *hooked) {
			h.put = func(ctx context.Context, r record, o authcore.PutOptions) error {
				spoil(&r, &o)
				return h.Store.PutRecord(ctx, r, o)
			}
		}
	}
	return map[string]fault{
		"IfAbsent without effect":    {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.IfAbsent = false })},
		"IfAbsent by another clock":  {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.Now = o.Now.Add(-time.Hour) })},
		"Keep keeps one too many":    {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.Keep = max(0, o.Keep*2-1) })},
		"records without a user":     {group: "Records", inject: putWith(func(_ *record, o *authcore.PutOptions) { o.OwnedByUser = false })},
		"records that live too long": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) { r.Expires = r.Expires.Add(1) })},
		"records without an end": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) {
			if r.Expires.IsZero() {
				r.Expires = r.Created.Add(time.Hour)
			}
		})},
		"data as text": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) {
			r.Data = []byte(strings.ToValidUTF8(string(r.Data), "?"))
		})},
		"keys that are cut":      {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) { r.Key = strings.TrimSpace(r.Key) })},
		"bounds without a check": {group: "Records", inject: putWith(func(r *record, _ *authcore.PutOptions) { r.Data = r.Data[:min(len(r.Data), 16<<10)] })},
		"a record is taken twice": {group: "Records", inject: func(h *hooked) {
			h.take = func(ctx context.Context, k key, now time.Time) (record, error) {
				r, err := h.Store.Record(ctx, k, now)
				time.Sleep(time.Millisecond)
				_ = h.Store.DeleteRecord(ctx, k)
				return r, err
			}
		}},
		"an update revives a record": {group: "Records", inject: func(h *hooked) {
			h.edit = func(ctx context.Context, k key, now time.Time, change func(*record) error) (record, error) {
				r, err := h.Store.Record(ctx, k, now)
				if err == nil {
					err = change(&r)
				}
				if err == nil {
					time.Sleep(time.Millisecond)
					putAll(h, r)
				}
				return r, err
			}
		}},
		"an update changes the owner": {group: "Records", inject: func(h *hooked) {
			h.edit = func(ctx context.Context, k key, now time.Time, change func(*record) error) (record, error) {
				var changed record
				r, err := h.Store.UpdateRecord(ctx, k, now, func(r *record) error {
					err := change(r)
					changed = *r
					return err
				})
				if err == nil {
					putAll(h, changed)
				}
				return r, err
			}
		}},
		"a list of all records": {group: "Records", inject: func(h *hooked) {
			h.recordOf = func(ctx context.Context, kind, owner string, _ time.Time) ([]record, error) {
				return h.Store.RecordsOf(ctx, kind, owner, time.Time{})
			}
		}},
		"the oldest record first": {group: "Records", inject: func(h *hooked) {
			h.recordOf = func(ctx context.Context, kind, owner string, now time.Time) ([]record, error) {
				records, err := h.Store.RecordsOf(ctx, kind, owner, now)
				slices.Reverse(records)
				return records, err
			}
		}},
		"shared data": {group: "Copies", inject: func(h *hooked) {
			kept := make(map[key]record)
			h.put = func(ctx context.Context, r record, o authcore.PutOptions) error {
				kept[r.RecordKey] = r
				return h.Store.PutRecord(ctx, r, o)
			}
			h.record = func(_ context.Context, k key, _ time.Time) (record, error) { return kept[k], nil }
		}},
	}
}

// onSince returns a fault that changes the entries of the feed.
func onSince(spoil func(*revoked)) func(*hooked) {
	return func(h *hooked) {
		h.since = func(ctx context.Context, cursor string) ([]revoked, string, error) {
			entries, next, err := h.Store.RevocationsSince(ctx, cursor)
			for i := range entries {
				spoil(&entries[i])
			}
			return entries, next, err
		}
	}
}

func feedFaults() map[string]fault {
	countWith := func(spoil func(now time.Time, c *authcore.Counter) time.Time) func(*hooked) {
		return func(h *hooked) {
			h.count = func(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
				counters = slices.Clone(counters)
				for i := range counters {
					now = spoil(now, &counters[i])
				}
				return h.Store.Count(ctx, now, counters)
			}
		}
	}
	return map[string]fault{
		"a feed that misses entries": {group: "Revocations", inject: func(h *hooked) {
			h.since = func(ctx context.Context, cursor string) ([]revoked, string, error) {
				entries, next, err := h.Store.RevocationsSince(ctx, cursor)
				if cursor != "" && len(entries) > 1 {
					entries = entries[1:]
				}
				return entries, next, err
			}
		}},
		"a lift that is lost": {group: "Revocations", inject: onSince(func(r *revoked) {
			if r.Until.IsZero() {
				r.ID = "lost"
			}
		})},
		"entries without a kind": {group: "Revocations", inject: onSince(func(r *revoked) { r.Kind = authcore.RevokeUser })},
		"a silent watch": {group: "Revocations", inject: func(h *hooked) {
			h.watch = func(ctx context.Context, _ func()) error { return h.Store.WatchRevocations(ctx, func() {}) }
		}},
		"keys that are shared": {group: "Copies", inject: func(h *hooked) {
			var last keys
			h.rotate = func(_ context.Context, change func(keys) (keys, error)) (keys, error) {
				next, err := change(last)
				if err == nil {
					last = next
				}
				return next, err
			}
		}},
		"rotations that overwrite": {group: "Keys", inject: func(h *hooked) {
			h.rotate = func(ctx context.Context, change func(keys) (keys, error)) (keys, error) {
				read, _ := h.Store.UpdateKeys(ctx, func(k keys) (keys, error) { return k, nil })
				next, err := change(read)
				if err != nil {
					return nil, err
				}
				time.Sleep(time.Millisecond)
				return h.Store.UpdateKeys(ctx, func(keys) (keys, error) { return next, nil })
			}
		}},
		"a rotation in a transaction": {group: "Keys", inject: func(h *hooked) {
			var lock sync.RWMutex
			h.rotate = func(ctx context.Context, change func(keys) (keys, error)) (keys, error) {
				lock.Lock()
				defer lock.Unlock()
				return h.Store.UpdateKeys(ctx, change)
			}
			h.user = func(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
				lock.RLock()
				defer lock.RUnlock()
				return h.Store.User(ctx, ref)
			}
		}},
		"windows that slide": {group: "Counters", inject: func(h *hooked) {
			h.count = func(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
				tallies, err := h.Store.Count(ctx, now, counters)
				for i := range tallies {
					tallies[i].Reset = now.Add(counters[i].Window)
				}
				return tallies, err
			}
		}},
		"values below zero": {group: "Counters", inject: func(h *hooked) {
			h.count = func(ctx context.Context, now time.Time, counters []authcore.Counter) ([]authcore.Tally, error) {
				tallies, err := h.Store.Count(ctx, now, counters)
				for i := range tallies {
					tallies[i].N += min(0, counters[i].Add+1)
				}
				return tallies, err
			}
		}},
		"a clock that pins windows": {group: "Counters", inject: func() func(*hooked) {
			var latest time.Time
			return countWith(func(now time.Time, _ *authcore.Counter) time.Time {
				if now.After(latest) {
					latest = now
				}
				return latest
			})
		}()},
		"a clock that resets windows": {group: "Counters", inject: countWith(func(now time.Time, c *authcore.Counter) time.Time {
			c.Limit += now.Format(time.DateOnly)
			return now
		})},
		"windows by the clock of the node": {group: "Counters", config: func(c *storagetest.Config) { c.Clock = true }},
		"counters without a bound":         {group: "Counters", config: func(c *storagetest.Config) { c.MaxCounters = 2000 }},
		"a bound for all limits": {
			group:  "Counters",
			inject: countWith(func(now time.Time, c *authcore.Counter) time.Time { c.Limit = ""; return now }),
			config: func(c *storagetest.Config) { c.MaxCounters = 100_000 },
		},
	}
}

func transferFaults() map[string]fault {
	exportWith := func(spoil func([]authcore.Item) []authcore.Item) func(*hooked) {
		return func(h *hooked) {
			h.export = func(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
				items, next, err := h.Store.Export(ctx, cursor, now)
				return spoil(items), next, err
			}
		}
	}
	return map[string]fault{
		"an export that ends early": {group: "Transfer", inject: exportWith(func(i []authcore.Item) []authcore.Item { return i[:max(0, len(i)-1)] })},
		"users at the end of pages": {group: "Transfer", inject: exportWith(func(i []authcore.Item) []authcore.Item {
			slices.Reverse(i)
			return i
		})},
		"an export of the expired": {group: "Transfer", inject: func(h *hooked) {
			h.export = func(ctx context.Context, cursor string, now time.Time) ([]authcore.Item, string, error) {
				return h.Store.Export(ctx, cursor, now.Add(-24*time.Hour))
			}
		}},
		"an import of a half": {group: "Transfer", inject: func(h *hooked) {
			h.imports = func(ctx context.Context, items []authcore.Item) (int, error) {
				stored := 0
				for i := range items {
					n, err := h.Store.Import(ctx, items[i:i+1])
					if err != nil {
						return 0, err
					}
					stored += n
				}
				return stored, nil
			}
		}},
		"an import that replaces": {group: "Transfer", inject: func(h *hooked) {
			h.imports = func(ctx context.Context, items []authcore.Item) (int, error) {
				stored, err := h.Store.Import(ctx, items)
				for _, item := range items {
					if item.Record != nil && err == nil {
						putAll(h, *item.Record)
					}
				}
				return stored, err
			}
		}},
		"realms that are one": {group: "Realms", config: func(c *storagetest.Config) {
			store := hook()
			c.Open = func(*testing.T) authcore.Store { return store }
		}},
	}
}

func engineFaults() map[string]fault {
	damage := func(c *storagetest.Config, spoil func(h *hooked, damaged *bool)) {
		var damaged bool
		c.Open = func(*testing.T) authcore.Store {
			h := hook()
			damaged = false
			spoil(h, &damaged)
			return h
		}
		c.Damage = func(*testing.T, authcore.Store, authcore.Item) bool { damaged = true; return true }
		c.SweepsBlindly = true
	}
	return map[string]fault{
		"a sweep of the live": {group: "Sweep", inject: func(h *hooked) {
			h.sweep = func(ctx context.Context, now time.Time) (authcore.Swept, error) {
				return h.Store.Sweep(ctx, now.Add(30*24*time.Hour))
			}
		}},
		"a sweep that does nothing": {group: "Sweep", inject: func(h *hooked) {
			h.sweep = func(context.Context, time.Time) (authcore.Swept, error) { return authcore.Swept{}, nil }
		}},
		"a sweep by the clock of the node": {group: "Sweep", config: func(c *storagetest.Config) { c.Clock = true }},
		"a sweep that stops at damage": {group: "Damage", config: func(c *storagetest.Config) {
			damage(c, func(h *hooked, damaged *bool) {
				h.sweep = func(ctx context.Context, now time.Time) (authcore.Swept, error) {
					if *damaged {
						return authcore.Swept{}, authcore.ErrUnavailable
					}
					return h.Store.Sweep(ctx, now)
				}
			})
		}},
		"damage that keeps a user from being disabled": {group: "Damage", config: func(c *storagetest.Config) {
			damage(c, func(h *hooked, damaged *bool) {
				h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
					if *damaged {
						return account{}, authcore.ErrUnavailable
					}
					return h.Store.UpdateAccount(ctx, id, now, change)
				}
			})
		}},
		"a newer format is opened": {group: "NewerFormat", config: func(c *storagetest.Config) {
			c.OpenNewer = func(*testing.T) error { return nil }
		}},
		"a panic that passes": {group: "Callbacks", inject: func(h *hooked) {
			h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
				read, err := h.Store.Account(ctx, authcore.UserRef{ID: id}, now)
				if err == nil {
					err = change(&read)
				}
				if err != nil {
					return account{}, err
				}
				return h.Store.UpdateAccount(ctx, id, now, change)
			}
		}},
		"a context that is ignored": {group: "Context", inject: func(h *hooked) {
			h.put = func(ctx context.Context, r record, o authcore.PutOptions) error {
				return h.Store.PutRecord(context.WithoutCancel(ctx), r, o)
			}
		}},
		"a context error alone": {group: "Context", inject: func(h *hooked) {
			h.user = func(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
				if err := ctx.Err(); err != nil {
					return authcore.User{}, err
				}
				return h.Store.User(ctx, ref)
			}
		}},
		"times without their zone": {group: "Clock", inject: func(h *hooked) {
			h.record = func(ctx context.Context, k key, now time.Time) (record, error) {
				_, offset := now.Zone()
				return h.Store.Record(ctx, k, now.Add(time.Duration(offset)*time.Second))
			}
		}},
		"a read that deletes": {group: "Clock", inject: func(h *hooked) {
			h.take = func(ctx context.Context, k key, now time.Time) (record, error) {
				r, err := h.Store.TakeRecord(ctx, k, now)
				_ = h.Store.DeleteRecord(ctx, k)
				return r, err
			}
		}},
	}
}

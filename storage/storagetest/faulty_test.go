package storagetest_test

import (
	"context"
	"errors"
	"strings"
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
	// run replaces the suite.
	run func(t *testing.T)
}

func faults() map[string]fault {
	all := make(map[string]fault)
	for _, part := range []map[string]fault{
		accountFaults(), loginFaults(), recordFaults(), feedFaults(), transferFaults(), engineFaults(), crashFaults(),
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
			h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
				a, err := h.Store.Login(ctx, step)
				former[a.User.EmailKey()] = a.User.ID
				return a, err
			}
			h.user = func(ctx context.Context, ref authcore.UserRef) (authcore.User, error) {
				user, err := h.Store.User(ctx, ref)
				if id := former[ref.EmailKey]; err != nil && ref.EmailKey != "" && id != "" {
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
				pause()
				return h.Store.UpdateAccount(ctx, id, now, func(a *account) error { *a = read; return nil })
			}
		}},
		"an update in two steps": {group: "Login", inject: func(h *hooked) {
			h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
				a, err := h.Store.UpdateAccount(ctx, id, now, change)
				if errors.Is(err, authcore.ErrTaken) {
					_, _ = h.Store.UpdateAccount(ctx, id, now, func(a *account) error { a.User.FirstName = "half"; return nil })
				}
				return a, err
			}
		}},
		"a change of an older account": {group: "UpdateAccount", inject: func(h *hooked) {
			h.update = func(ctx context.Context, id string, now time.Time, change change) (account, error) {
				changed, err := h.Store.Account(ctx, authcore.UserRef{ID: id}, now)
				if err == nil {
					err = change(&changed)
				}
				pause()
				if err != nil {
					return account{}, err
				}
				return h.Store.UpdateAccount(ctx, id, now, func(a *account) error { *a = changed; return nil })
			}
		}},
		"writes without a difference": {group: "UpdateAccount", config: func(c *storagetest.Config) {
			writes := int64(0)
			c.Writes = func(*testing.T, authcore.Store) int64 { writes++; return writes }
		}},
		"a deleted user's records stay": {group: "DeleteUser", inject: func(h *hooked) {
			h.remove = func(ctx context.Context, id string, r revoked) error {
				owned, _ := authcore.AllRecords(ctx, h.Store, authcore.RecordFilter{Kind: "link", Owner: id}, r.Until.Add(-14*24*time.Hour))
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

package storagetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

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
		"realms that are one": {group: "Transfer", config: func(c *storagetest.Config) {
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

// crashFaults returns faults of stores that are reopened or killed.
func crashFaults() map[string]fault {
	return map[string]fault{
		"a restart forgets": {group: "Durable", run: func(t *testing.T) {
			storagetest.RunDurable(t, func(*testing.T) func() authcore.Store {
				return func() authcore.Store { return memory.New() }
			})
		}},
		"a failed login burns its proof": {group: "LoginFaults", run: func(t *testing.T) {
			failLogins(t, func(h *hooked, step authcore.LoginStep) { _ = h.DeleteRecord(t.Context(), step.Proof) })
		}},
		"a failed login leaves its user": {group: "LoginFaults", run: func(t *testing.T) {
			failLogins(t, func(h *hooked, step authcore.LoginStep) {
				_, _ = h.Store.Login(t.Context(), authcore.LoginStep{Now: step.Now, Decide: step.Decide})
			})
		}},
		"a crash loses sessions": {group: "Victim", run: func(t *testing.T) {
			h := hook()
			onDecide(func(_ authcore.LoginFound, a *account) { a.Sessions = nil })(h)
			stopVictims(t, h)
		}},
		"a crash loses guesses": {group: "Victim", run: func(t *testing.T) {
			h := hook()
			h.login = func(ctx context.Context, step authcore.LoginStep) (account, error) {
				a, err := h.Store.Login(ctx, step)
				if errors.Is(err, authcore.ErrProofFailed) {
					_, _ = h.Store.UpdateRecord(ctx, step.Proof, step.Now, func(r *record) error { r.Data = nil; return nil })
				}
				return a, err
			}
			stopVictims(t, h)
		}},
	}
}

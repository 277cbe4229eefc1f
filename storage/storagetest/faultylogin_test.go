package storagetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

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
			siblings, _ := authcore.AllRecords(ctx, h.Store, authcore.RecordFilter{Kind: proof.Kind, Owner: proof.Owner}, step.Now)
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
				pause()
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
				pause()
				step.Decide = func(authcore.LoginFound) (account, error) { return a, decided }
				return h.Store.Login(ctx, step)
			}
		}},
	}
}

package redis

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// Login performs a login. See [authcore.LoginStep]. It takes two round trips: one
// reads, one commits.
func (s *Store) Login(ctx context.Context, step authcore.LoginStep) (authcore.Account, error) {
	return retry(ctx, s, step.Now, func(c *commit) (authcore.Account, error) { return c.login(ctx, step) })
}

func (c *commit) login(ctx context.Context, step authcore.LoginStep) (authcore.Account, error) {
	var none authcore.Account
	keys := make([]string, 0, 1+len(step.Claims))
	for _, claim := range step.Claims {
		keys = append(keys, c.store.recordKey(claim.RecordKey))
	}
	named := step.Proof != authcore.RecordKey{}
	if named {
		keys = append(keys, c.store.recordKey(step.Proof))
	}
	users, values, _, err := c.store.load(ctx, step.Refs, keys...)
	if err != nil {
		return none, err
	}
	var found authcore.LoginFound
	var proof authcore.Record
	if named {
		if proof, err = decodeRecord(values[len(keys)-1], step.Now); err != nil {
			return none, err
		}
		c.unchanged(keys[len(keys)-1], "", values[len(keys)-1])
		given := proof
		found.Proof = &given
	}
	for i, claim := range step.Claims {
		if _, err := decodeRecord(values[i], step.Now); !errors.Is(err, authcore.ErrNotFound) {
			return none, cmp.Or(err, authcore.ErrExists)
		}
		c.unchanged(keys[i], "", values[i])
		if err := c.record(claim, step.Now, 0); err != nil {
			return none, err
		}
	}
	known := make(map[string]state)
	for i, ref := range step.Refs {
		account, err := c.found(ref, &users[i], step)
		if err != nil {
			return none, err
		}
		known[account.User.ID] = users[i]
		found.Accounts = append(found.Accounts, account.Clone())
	}
	var after authcore.Account
	err = kv.Recover("callback", func() (err error) {
		after, err = step.Decide(found)
		return err
	})
	switch {
	case errors.Is(err, authcore.ErrProofFailed) && named:
		proof.Data = found.Proof.Data
		return none, c.keepProof(proof, values[len(values)-1], step.Now, err)
	case err != nil:
		return none, err
	}
	if named {
		if proof.Owner == "" {
			c.removeRecord(proof)
		} else {
			c.write("DISOWN", c.store.key("o:", proof.Owner), proof.Kind, c.number(keys[len(keys)-1]))
		}
	}
	return c.account(known[after.User.ID], after, authcore.ErrTaken)
}

// found returns the account that a reference selects, empty if it selects nothing,
// and adds the check that it still does.
func (c *commit) found(ref authcore.UserRef, user *state, step authcore.LoginStep) (authcore.Account, error) {
	key, how := c.store.refKey(ref)
	if how == "f" {
		c.unchanged(key, "", user.id)
	}
	if user.fields == nil {
		return authcore.Account{}, nil
	}
	if err := user.decode(step.Now); err != nil {
		return authcore.Account{}, err
	}
	if !user.matches(ref) {
		return authcore.Account{}, nil
	}
	c.unchanged(c.store.key("u:", user.id), versionField, user.fields[versionField])
	return user.account, nil
}

// keepProof makes the commit store nothing but a proof that failed.
func (c *commit) keepProof(proof authcore.Record, before string, now time.Time, outcome error) error {
	*c = *newCommit(c.store)
	c.outcome = outcome
	c.unchanged(c.store.recordKey(proof.RecordKey), "", before)
	return c.record(proof, now, 0)
}

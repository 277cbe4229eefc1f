package kv

import (
	"context"
	"errors"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// loginResult is the outcome of a step: an account, or the error of a proof that
// failed. The latter is not the error of the step, because the step is committed.
type loginResult struct {
	account authcore.Account
	failed  error
}

// Login implements authcore.Accounts. The account that it returns has the
// revocations that the step appended.
func (s *Store) Login(ctx context.Context, step authcore.LoginStep) (authcore.Account, error) {
	claims, err := prepareRecords(step.Claims)
	if err != nil {
		return authcore.Account{}, err
	}
	step.Refs = slices.Clone(step.Refs)
	result, err := update(ctx, s, func(t *tx) (loginResult, error) { return t.login(step, claims) })
	if err != nil {
		return authcore.Account{}, err
	}
	return result.account, result.failed
}

func (t *tx) login(step authcore.LoginStep, claims []preparedRecord) (loginResult, error) {
	found, formers, err := t.findLogin(step, claims)
	if err != nil {
		return loginResult{}, err
	}
	var proof authcore.Record
	if found.Proof != nil {
		proof = *found.Proof
	}
	var a authcore.Account
	err = t.call(func() error {
		decided, err := step.Decide(found)
		a = decided.Clone()
		return err
	})
	switch {
	case errors.Is(err, authcore.ErrProofFailed) && found.Proof != nil:
		proof.Data = found.Proof.Data
		return loginResult{failed: err}, t.replaceRecord(proof)
	case err != nil:
		return loginResult{}, err
	}
	former := formers[a.User.ID]
	if former != nil {
		a.User.Created = former.User.Created
	}
	if err := t.store(former, &a, step.Now); err != nil {
		return loginResult{}, err
	}
	if found.Proof != nil {
		t.deleteProof(proof)
	}
	for _, claim := range claims {
		t.putRecord(claim)
	}
	return loginResult{account: a}, nil
}

// findLogin performs the first steps of a login, up to the call of Decide. It also
// returns the accounts by ID.
func (t *tx) findLogin(
	step authcore.LoginStep, claims []preparedRecord,
) (found authcore.LoginFound, formers map[string]*loaded, err error) {
	if (step.Proof != authcore.RecordKey{}) {
		proof, err := t.liveRecord(step.Proof, step.Now)
		if err != nil {
			return found, nil, err
		}
		found.Proof = &proof
	}
	for _, claim := range claims {
		if err := t.absentRecord(claim.RecordKey, step.Now); err != nil {
			return found, nil, err
		}
	}
	found.Accounts = make([]authcore.Account, len(step.Refs))
	formers = make(map[string]*loaded, len(step.Refs))
	for i, ref := range step.Refs {
		l, err := t.accountOf(ref, step.Now)
		switch {
		case err == nil:
			found.Accounts[i], formers[l.User.ID] = l.Account, l
		case !errors.Is(err, authcore.ErrNotFound):
			return found, nil, err
		}
	}
	return found, formers, nil
}

// deleteProof deletes a proof and the other records of its kind and owner.
func (t *tx) deleteProof(proof authcore.Record) {
	if proof.Owner == "" {
		t.delete(recordKey(proof.RecordKey))
		return
	}
	t.delete(t.ownedKeys(ownerPrefix(proof.Owner, proof.Kind), proof.Owner, proof.RecordKey)...)
}

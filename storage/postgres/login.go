package postgres

import (
	"context"
	"errors"

	"github.com/edgeauth/edgeauth/authcore"
)

// Login performs a login by two round trips: one that loads, and one that stores and
// fails if what was loaded has changed. See authcore.LoginStep.
func (s *Store) Login(ctx context.Context, step authcore.LoginStep) (stored authcore.Account, err error) {
	for _, claim := range step.Claims {
		if err := claim.Validate(); err != nil {
			return authcore.Account{}, err
		}
	}
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		l, err := s.loadLogin(ctx, t, step)
		if err != nil {
			return err
		}
		found := l.found()
		account, err := step.Decide(found)
		switch {
		case errors.Is(err, authcore.ErrProofFailed) && found.Proof != nil:
			return s.keepProof(ctx, t, l, found.Proof.Data, err)
		case err != nil:
			return final{err}
		}
		before, rows := l.account(account.User.ID)
		if stored, err = s.queueChange(t, before, rows, account, step.Now); err != nil {
			return err
		}
		if err := s.queueUsed(t, step, l); err != nil {
			return err
		}
		return t.commit(ctx)
	})
	return orZero(stored, err)
}

// loadedLogin holds what a login has loaded.
type loadedLogin struct {
	proofDoc []byte // nil without a proof
	proof    authcore.Record
	rows     [][]row
	accounts []authcore.Account
}

// found returns copies for Decide.
func (l loadedLogin) found() (found authcore.LoginFound) {
	if l.proofDoc != nil {
		proof := l.proof
		found.Proof = &proof
	}
	for _, account := range l.accounts {
		found.Accounts = append(found.Accounts, account.Clone())
	}
	return found
}

// account returns the loaded account of a user and its rows, or nil.
func (l loadedLogin) account(userID string) (*authcore.Account, []row) {
	for i := range l.accounts {
		if l.accounts[i].User.ID == userID && userID != "" {
			return &l.accounts[i], l.rows[i]
		}
	}
	return nil, nil
}

func (s *Store) loadLogin(ctx context.Context, t *tx, step authcore.LoginStep) (l loadedLogin, err error) {
	var proofs [][]byte
	claims := make([][][]byte, len(step.Claims))
	l.rows = make([][]row, len(step.Refs))
	for i, ref := range step.Refs {
		s.queueAccount(t, ref, &l.rows[i])
	}
	if step.Proof != (authcore.RecordKey{}) {
		s.queueRecord(t, step.Proof, "", &proofs)
	}
	for i, claim := range step.Claims {
		s.queueRecord(t, claim.RecordKey, "", &claims[i])
	}
	if err := t.load(ctx); err != nil {
		return l, err
	}
	if step.Proof != (authcore.RecordKey{}) {
		if l.proof, err = oneRecord(proofs, step.Now); err != nil {
			return l, err
		}
		l.proofDoc = proofs[0]
	}
	for _, docs := range claims {
		if _, err := oneRecord(docs, step.Now); err == nil {
			return l, final{authcore.ErrExists}
		}
	}
	for i, ref := range step.Refs {
		account, err := accountOf(ref, l.rows[i], step.Now)
		if err != nil {
			return l, err
		}
		l.accounts = append(l.accounts, account)
	}
	return l, nil
}

// keepProof stores the data of a refused proof and returns the refusal.
func (s *Store) keepProof(ctx context.Context, t *tx, l loadedLogin, data []byte, refusal error) error {
	proof := l.proof
	proof.Data = data
	if err := proof.Validate(); err != nil {
		return final{err}
	}
	if err := s.queueRecordUpdate(t, l.proofDoc, proof); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	return final{refusal}
}

// queueUsed deletes the proof, which must not have changed, with the records of its
// owner, and stores the claims. The column doc refuses NULL, which ends the
// transaction if a concurrent login has stored a claim; the next attempt finds it.
func (s *Store) queueUsed(t *tx, step authcore.LoginStep, l loadedLogin) error {
	if l.proofDoc != nil {
		t.queue(`WITH used AS (DELETE FROM @.records WHERE realm = $1 AND kind = $2 AND owner = $3 RETURNING key, doc)
			SELECT 1 / count(*) FROM used WHERE key = $4 AND doc = $5`,
			s.realm, l.proof.Kind, ownerColumn(l.proof), l.proof.Key, string(l.proofDoc))
	}
	for _, claim := range step.Claims {
		doc, claim, err := encode(claim)
		if err != nil {
			return err
		}
		t.queue(replaceRecord+`CASE WHEN r.expires <= $8 THEN EXCLUDED.doc END`, append(s.recordArguments(claim, doc), stamp(step.Now))...)
	}
	return nil
}

package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// lockProof locks a record together with all records of its kind and owner, in the
// order of their keys, so that logins with two of them do not wait in a circle.
const lockProof = `SELECT doc FROM @.records WHERE realm = $1 AND kind = $2 AND owner = (
	SELECT owner FROM @.records WHERE realm = $1 AND kind = $2 AND key = $3) ORDER BY key FOR UPDATE`

// Login performs a login as one transaction. See authcore.LoginStep.
func (s *Store) Login(ctx context.Context, step authcore.LoginStep) (stored authcore.Account, err error) {
	for _, claim := range step.Claims {
		if err := claim.Validate(); err != nil {
			return authcore.Account{}, err
		}
	}
	err = s.run(ctx, s.db.pool, func(ctx context.Context, t *tx) error {
		found, err := s.loadLogin(ctx, t, step)
		if err != nil {
			return err
		}
		var proof authcore.Record
		var before []authcore.Account
		if found.Proof != nil {
			proof = *found.Proof
		}
		for _, account := range found.Accounts {
			before = append(before, account.Clone())
		}
		account, err := step.Decide(found)
		switch {
		case errors.Is(err, authcore.ErrProofFailed) && found.Proof != nil:
			proof.Data = found.Proof.Data
			return s.keepProof(ctx, t, proof, err)
		case err != nil:
			return final{err}
		}
		var known *authcore.Account
		for i := range before {
			if before[i].User.ID == account.User.ID {
				known = &before[i]
			}
		}
		if stored, err = s.queueChange(t, known, account, step.Now); err != nil {
			return err
		}
		if err := s.queueUsed(t, step, proof); err != nil {
			return err
		}
		return t.commit(ctx)
	})
	return orZero(stored, err)
}

// loadLogin loads what Decide receives.
func (s *Store) loadLogin(ctx context.Context, t *tx, step authcore.LoginStep) (found authcore.LoginFound, err error) {
	rows := make([][]row, len(step.Refs))
	var proofs, claims []authcore.Record
	if step.Proof != (authcore.RecordKey{}) {
		t.queue(lockProof, s.recordKey(step.Proof)...).Query(collectRecords(&proofs))
	}
	for _, claim := range step.Claims {
		t.queue(`SELECT doc FROM @.records`+whereRecord, s.recordKey(claim.RecordKey)...).Query(collectRecords(&claims))
	}
	s.queueAccounts(t, step.Refs, rows)
	if err := t.load(ctx); err != nil {
		return found, err
	}
	proofs = slices.DeleteFunc(proofs, func(r authcore.Record) bool { return r.RecordKey != step.Proof })
	switch {
	case step.Proof != authcore.RecordKey{} && !anyLive(proofs, step.Now):
		return found, final{authcore.ErrNotFound}
	case anyLive(claims, step.Now):
		return found, final{authcore.ErrExists}
	case len(proofs) > 0:
		found.Proof = &proofs[0]
	}
	for i, ref := range step.Refs {
		account, err := accountOf(ref, rows[i], step.Now)
		if err != nil {
			return found, err
		}
		found.Accounts = append(found.Accounts, account)
	}
	return found, nil
}

// anyLive reports whether one of the records is live.
func anyLive(records []authcore.Record, now time.Time) bool {
	for _, record := range records {
		if record.Live(now) {
			return true
		}
	}
	return false
}

// collectRecords decodes rows of documents and skips damaged ones.
func collectRecords(records *[]authcore.Record) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		docs, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		for _, doc := range docs {
			if record, err := decode[authcore.Record](doc); err == nil {
				*records = append(*records, record)
			}
		}
		return err
	}
}

// keepProof stores a refused proof and returns the refusal.
func (s *Store) keepProof(ctx context.Context, t *tx, proof authcore.Record, refusal error) error {
	if err := proof.Validate(); err != nil {
		return final{err}
	}
	doc, _, err := encode(proof)
	if err != nil {
		return err
	}
	t.queue(`UPDATE @.records SET doc = $4`+whereRecord, append(s.recordKey(proof.RecordKey), doc)...)
	if err := t.commit(ctx); err != nil {
		return err
	}
	return final{refusal}
}

// queueUsed deletes the proof with the records of its owner and stores the claims.
// The column doc refuses NULL, which ends the transaction if a concurrent login has
// stored a claim; the next attempt finds it.
func (s *Store) queueUsed(t *tx, step authcore.LoginStep, proof authcore.Record) error {
	if proof.Key != "" {
		t.queue(`DELETE FROM @.records WHERE realm = $1 AND kind = $2 AND owner = $3`, s.realm, proof.Kind, ownerColumn(proof))
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

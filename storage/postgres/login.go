package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// lockProof locks a record, and with it all records of its kind and owner in the
// order of their keys, so that logins with two of them do not wait in a circle.
const lockProof = `SELECT doc FROM @.records WHERE realm = $1 AND kind = $2 AND key = ANY (ARRAY(
		SELECT $3::text
		UNION ALL SELECT o.key FROM @.records r JOIN @.records o ON o.realm = $1 AND o.kind = $2 AND o.owner = r.owner
		WHERE r.realm = $1 AND r.kind = $2 AND r.key = $3 AND r.owner <> ''
	)) ORDER BY key FOR UPDATE`

// Login performs a login as one transaction. See authcore.LoginStep.
func (s *Store) Login(ctx context.Context, step authcore.LoginStep) (stored authcore.Account, err error) {
	for _, claim := range step.Claims {
		if err := claim.Validate(); err != nil {
			return authcore.Account{}, err
		}
	}
	err = s.transact(ctx, func(ctx context.Context, t *tx) error {
		found, l, err := s.loadLogin(ctx, t, step)
		if err != nil {
			return err
		}
		account, decided := step.Decide(found)
		switch {
		case errors.Is(decided, authcore.ErrProofFailed) && found.Proof != nil:
			return s.keepProof(ctx, t, step, found.Proof.Data, l.proof, decided)
		case decided != nil:
			return final{decided}
		}
		if stored, err = s.queueChange(t, l.before(account.User.ID), account, step.Now); err != nil {
			return err
		}
		if err := s.queueUsed(t, step, l.proof); err != nil {
			return err
		}
		return t.commit(ctx)
	})
	return orZero(stored, err)
}

// loadedLogin is what a login found.
type loadedLogin struct {
	loaded
	proof authcore.Record
}

// before returns the loaded account of a user, or nil.
func (l loadedLogin) before(userID string) *authcore.Account { return l.accounts[userID] }

func (s *Store) loadLogin(ctx context.Context, t *tx, step authcore.LoginStep) (authcore.LoginFound, loadedLogin, error) {
	var found authcore.LoginFound
	var l loadedLogin
	var rows []row
	var proofs, claims []authcore.Record
	if step.Proof != (authcore.RecordKey{}) {
		t.queue(lockProof, s.realm, storableOrEmpty(step.Proof.Kind), storableOrEmpty(step.Proof.Key)).Query(collectRecords(&proofs))
	}
	if len(step.Claims) > 0 {
		var kinds, keys []string
		for _, claim := range step.Claims {
			kinds, keys = append(kinds, claim.Kind), append(keys, claim.Key)
		}
		t.queue(`SELECT r.doc FROM unnest($2::text[], $3::text[]) AS c (kind, key)
			JOIN @.records r USING (kind, key) WHERE r.realm = $1`, s.realm, kinds, keys).Query(collectRecords(&claims))
	}
	if len(step.Refs) > 0 {
		s.queueAccounts(t, step.Refs, &rows)
	}
	if err := t.load(ctx); err != nil {
		return found, l, err
	}
	if step.Proof != (authcore.RecordKey{}) {
		for _, record := range proofs {
			if record.RecordKey == step.Proof && record.Live(step.Now) {
				l.proof, found.Proof = record, &record
			}
		}
		if found.Proof == nil {
			return found, l, final{authcore.ErrNotFound}
		}
	}
	if anyLive(claims, step.Now) {
		return found, l, final{authcore.ErrExists}
	}
	l.loaded = newLoaded(rows, step.Now)
	for _, ref := range step.Refs {
		found.Accounts = append(found.Accounts, l.find(ref))
	}
	return found, l, l.damaged
}

func anyLive(records []authcore.Record, now time.Time) bool {
	for _, record := range records {
		if record.Live(now) {
			return true
		}
	}
	return false
}

func storableOrEmpty(text string) string {
	if storable(text) {
		return text
	}
	return ""
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

// keepProof stores the data of a refused proof and returns the refusal.
func (s *Store) keepProof(
	ctx context.Context, t *tx, step authcore.LoginStep, data []byte, proof authcore.Record, refusal error,
) error {
	proof.Data = data
	doc, _, err := encode(proof)
	if err == nil {
		err = proof.Validate()
	}
	if err != nil {
		return final{err}
	}
	t.queue(`UPDATE @.records SET doc = $4 WHERE realm = $1 AND kind = $2 AND key = $3`, s.realm, step.Proof.Kind, step.Proof.Key, doc)
	if err := t.commit(ctx); err != nil {
		return err
	}
	return final{refusal}
}

// queueUsed deletes the proof with its siblings and stores the claims. A claim of a
// concurrent login violates the primary key; the next attempt finds it.
func (s *Store) queueUsed(t *tx, step authcore.LoginStep, proof authcore.Record) error {
	if step.Proof != (authcore.RecordKey{}) {
		t.queue(`DELETE FROM @.records WHERE realm = $1 AND kind = $2 AND key = $3`, s.realm, step.Proof.Kind, step.Proof.Key)
	}
	if proof.Owner != "" {
		t.queue(`DELETE FROM @.records WHERE realm = $1 AND kind = $2 AND owner = $3`, s.realm, step.Proof.Kind, proof.Owner)
	}
	for _, claim := range step.Claims {
		doc, claim, err := encode(claim)
		if err != nil {
			return err
		}
		t.queue(`DELETE FROM @.records WHERE realm = $1 AND kind = $2 AND key = $3 AND expires <= $4`,
			s.realm, claim.Kind, claim.Key, stamp(step.Now))
		t.queue(`INSERT INTO @.records (realm, kind, key, owner, created, expires, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.recordArguments(claim, doc)...)
	}
	return nil
}

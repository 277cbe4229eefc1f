package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/edgeauth/edgeauth/authcore"
)

// PutFlow stores a flow. See authcore.Flows.
func (s *Store) PutFlow(ctx context.Context, flow authcore.Flow) error {
	text, err := encodeFlow(flow)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `
		INSERT INTO @.flows (realm, state, expires, flow) VALUES ($1, $2, $3, $4)
		ON CONFLICT (realm, state) DO UPDATE SET expires = EXCLUDED.expires, flow = EXCLUDED.flow`,
		s.realm, flow.State[:], stamp(flow.Expires), text)
	return err
}

// TakeFlow removes and returns the live flow with this state. See
// authcore.Flows.
func (s *Store) TakeFlow(ctx context.Context, state authcore.Digest, now time.Time) (authcore.Flow, error) {
	return one(ctx, s, scanFlow, `
		DELETE FROM @.flows WHERE realm = $1 AND state = $2 AND expires > $3 RETURNING flow`,
		s.realm, state[:], stamp(now))
}

// UpdateFlow applies change to the live flow with this state. See
// authcore.Flows. State and Expires stay as they are whatever change does to them.
func (s *Store) UpdateFlow(
	ctx context.Context, state authcore.Digest, now time.Time, change func(*authcore.Flow) error,
) (authcore.Flow, error) {
	var former, flow authcore.Flow
	err := s.transact(ctx, func(b *batch) error {
		b.queue(`SELECT flow FROM @.flows WHERE realm = $1 AND state = $2 AND expires > $3 FOR UPDATE`,
			s.realm, state[:], stamp(now)).Query(func(rows pgx.Rows) (err error) {
			former, err = pgx.CollectExactlyOneRow(rows, scanFlow)
			return err
		})
		return nil
	}, func(b *batch) error {
		flow = former
		if err := change(&flow); err != nil {
			return answered{err}
		}
		flow.State, flow.Expires = former.State, former.Expires
		text, err := encodeFlow(flow)
		if err != nil {
			return answered{err}
		}
		b.queue(`UPDATE @.flows SET flow = $3 WHERE realm = $1 AND state = $2`, s.realm, state[:], text)
		return nil
	})
	if err != nil {
		return authcore.Flow{}, err
	}
	return flow, nil
}

func encodeFlow(flow authcore.Flow) (string, error) {
	text, err := json.Marshal(flow)
	if err != nil {
		return "", unavailable(errors.New("a flow has no JSON form"))
	}
	return string(text), nil
}

// scanFlow keeps what the decoder says to itself: it cites what it read.
func scanFlow(row pgx.CollectableRow) (authcore.Flow, error) {
	var text []byte
	var flow authcore.Flow
	if err := row.Scan(&text); err != nil {
		return flow, err
	}
	if err := json.Unmarshal(text, &flow); err != nil {
		return flow, errors.New("a flow is damaged: no valid JSON")
	}
	return flow, nil
}

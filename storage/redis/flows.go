package redis

import (
	"context"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// PutFlow stores a flow. See authcore.Flows.
func (s *Store) PutFlow(ctx context.Context, flow authcore.Flow) error {
	text, err := encodeFlow(flow)
	if err != nil {
		return err
	}
	_, err = s.run(ctx, s.db.scripts.putFlow, string(flow.State[:]), text)
	return err
}

// TakeFlow removes and returns the live flow with this state. See
// authcore.Flows.
func (s *Store) TakeFlow(ctx context.Context, state authcore.Digest, now time.Time) (authcore.Flow, error) {
	result, err := s.run(ctx, s.db.scripts.takeFlow, string(state[:]), stamp(now))
	if err != nil {
		return authcore.Flow{}, err
	}
	flow, err := decodeFlow(result.text(0))
	return decoded(flow, err, "flows")
}

// UpdateFlow applies change to the live flow with this state. See authcore.Flows.
// State and Expires stay as they are whatever change does to them.
func (s *Store) UpdateFlow(
	ctx context.Context, state authcore.Digest, now time.Time, change func(*authcore.Flow) error,
) (authcore.Flow, error) {
	return retry(ctx, func() (authcore.Flow, bool, error) {
		before, err := s.get(ctx, flowsTable, string(state[:]))
		if err != nil {
			return authcore.Flow{}, false, err
		}
		former, err := decodeFlow(before)
		if err != nil {
			return authcore.Flow{}, false, damaged("flows")
		}
		if !now.Before(former.Expires) {
			return authcore.Flow{}, false, authcore.ErrNotFound
		}
		flow := former
		if err := change(&flow); err != nil {
			return authcore.Flow{}, false, err
		}
		flow.State, flow.Expires = former.State, former.Expires
		after, err := encodeFlow(flow)
		if err != nil {
			return authcore.Flow{}, false, err
		}
		result, err := s.run(ctx, s.db.scripts.updateFlow, string(state[:]), before, after)
		return flow, result.overtaken(), err
	})
}

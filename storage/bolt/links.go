package bolt

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// PutLink stores a link and ends older ones of its address. See authcore.Links.
func (s *Store) PutLink(ctx context.Context, link authcore.Link) error {
	return change(ctx, s, func(t *tx) error {
		if older := t.get(linksByEmailTable, []byte(link.EmailKey)); older != nil {
			if err := t.remove(linksTable, older); err != nil {
				return err
			}
		}
		return errors.Join(
			store(t, linksTable, link.Secret[:], link),
			t.put(linksByEmailTable, []byte(link.EmailKey), link.Secret[:]),
			t.expire(link.Expires, linkClass, link.Secret[:]),
		)
	})
}

// TakeLink removes and returns the live link with this secret. See
// authcore.Links.
func (s *Store) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	return write(ctx, s, func(t *tx) (authcore.Link, error) {
		link, err := load[authcore.Link](t, linksTable, secret[:])
		if err != nil {
			return authcore.Link{}, err
		}
		if !now.Before(link.Expires) {
			return authcore.Link{}, authcore.ErrNotFound
		}
		return link, t.removeLink(link)
	})
}

// TakeCode counts and evaluates a guess at the code of the address's live link.
// See authcore.Links. A wrong guess is a step that succeeds, since its count has
// to be committed; that it was wrong is its result.
func (s *Store) TakeCode(
	ctx context.Context, emailKey string, code authcore.Digest, now time.Time,
) (authcore.Link, error) {
	type guess struct {
		link  authcore.Link
		right bool
	}
	result, err := write(ctx, s, func(t *tx) (guess, error) {
		link, err := load[authcore.Link](t, linksTable, t.get(linksByEmailTable, []byte(emailKey)))
		if err != nil {
			return guess{}, err
		}
		if !now.Before(link.Expires) || link.Guesses >= authcore.MaxGuesses {
			return guess{}, nil
		}
		if subtle.ConstantTimeCompare(link.Code[:], code[:]) != 1 {
			link.Guesses++
			return guess{}, store(t, linksTable, link.Secret[:], link)
		}
		return guess{link: link, right: true}, t.removeLink(link)
	})
	if err == nil && !result.right {
		err = authcore.ErrNotFound
	}
	return result.link, err
}

func (t *tx) removeLink(link authcore.Link) error {
	return errors.Join(
		t.remove(linksTable, link.Secret[:]),
		t.remove(linksByEmailTable, []byte(link.EmailKey)),
	)
}

// PutFlow stores a flow. See authcore.Flows.
func (s *Store) PutFlow(ctx context.Context, flow authcore.Flow) error {
	return change(ctx, s, func(t *tx) error {
		return errors.Join(
			store(t, flowsTable, flow.State[:], flow),
			t.expire(flow.Expires, flowClass, flow.State[:]),
		)
	})
}

// TakeFlow removes and returns the live flow with this state. See
// authcore.Flows.
func (s *Store) TakeFlow(ctx context.Context, state authcore.Digest, now time.Time) (authcore.Flow, error) {
	return write(ctx, s, func(t *tx) (authcore.Flow, error) {
		flow, err := t.liveFlow(state, now)
		if err != nil {
			return authcore.Flow{}, err
		}
		return flow, t.remove(flowsTable, state[:])
	})
}

// UpdateFlow applies change to the live flow with this state. See
// authcore.Flows. State and Expires stay as they are whatever change does to
// them.
func (s *Store) UpdateFlow(
	ctx context.Context, state authcore.Digest, now time.Time, change func(*authcore.Flow) error,
) (authcore.Flow, error) {
	return write(ctx, s, func(t *tx) (authcore.Flow, error) {
		former, err := t.liveFlow(state, now)
		if err != nil {
			return authcore.Flow{}, err
		}
		flow := former
		if err := change(&flow); err != nil {
			return authcore.Flow{}, err
		}
		flow.State, flow.Expires = former.State, former.Expires
		return flow, store(t, flowsTable, state[:], flow)
	})
}

func (t *tx) liveFlow(state authcore.Digest, now time.Time) (authcore.Flow, error) {
	flow, err := load[authcore.Flow](t, flowsTable, state[:])
	if err == nil && !now.Before(flow.Expires) {
		err = authcore.ErrNotFound
	}
	return flow, err
}

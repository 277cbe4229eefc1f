package memory

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// PutLink stores a link and ends older ones of its address. See authcore.Links.
func (s *Store) PutLink(ctx context.Context, link authcore.Link) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if older, found := s.linkByEmail[link.EmailKey]; found {
		s.links.remove(string(older[:]))
	}
	link.Created, link.Expires = wall(link.Created), wall(link.Expires)
	s.links.put(string(link.Secret[:]), link)
	s.linkByEmail[link.EmailKey] = link.Secret
	return nil
}

// TakeLink removes and returns the live link with this secret. See
// authcore.Links.
func (s *Store) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.Link{}, err
	}
	defer unlock()
	link, found := s.links.get(string(secret[:]))
	if !found || !now.Before(link.Expires) {
		return authcore.Link{}, authcore.ErrNotFound
	}
	s.removeLink(link)
	return link, nil
}

// TakeCode counts and evaluates a guess at the code of the address's live link.
// See authcore.Links.
func (s *Store) TakeCode(
	ctx context.Context, emailKey string, code authcore.Digest, now time.Time,
) (authcore.Link, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.Link{}, err
	}
	defer unlock()
	secret, known := s.linkByEmail[emailKey]
	link, found := s.links.get(string(secret[:]))
	if !known || !found || !now.Before(link.Expires) || link.Guesses >= authcore.MaxGuesses {
		return authcore.Link{}, authcore.ErrNotFound
	}
	if subtle.ConstantTimeCompare(link.Code[:], code[:]) != 1 {
		link.Guesses++
		s.links.put(string(secret[:]), link)
		return authcore.Link{}, authcore.ErrNotFound
	}
	s.removeLink(link)
	return link, nil
}

func (s *Store) removeLink(link authcore.Link) {
	s.links.remove(string(link.Secret[:]))
	delete(s.linkByEmail, link.EmailKey)
}

// PutFlow stores a flow. See authcore.Flows.
func (s *Store) PutFlow(ctx context.Context, flow authcore.Flow) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	flow.Expires = wall(flow.Expires)
	s.flows.put(string(flow.State[:]), flow)
	return nil
}

// TakeFlow removes and returns the live flow with this state. See
// authcore.Flows.
func (s *Store) TakeFlow(ctx context.Context, state authcore.Digest, now time.Time) (authcore.Flow, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.Flow{}, err
	}
	defer unlock()
	flow, found := s.flows.get(string(state[:]))
	if !found || !now.Before(flow.Expires) {
		return authcore.Flow{}, authcore.ErrNotFound
	}
	s.removeFlow(flow)
	return flow, nil
}

// UpdateFlow applies change to the live flow with this state. See
// authcore.Flows. State and Expires stay as they are whatever change does to
// them.
func (s *Store) UpdateFlow(
	ctx context.Context, state authcore.Digest, now time.Time, change func(*authcore.Flow) error,
) (authcore.Flow, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return authcore.Flow{}, err
	}
	defer unlock()
	former, found := s.flows.get(string(state[:]))
	if !found || !now.Before(former.Expires) {
		return authcore.Flow{}, authcore.ErrNotFound
	}
	flow := former
	if err := change(&flow); err != nil {
		return authcore.Flow{}, err
	}
	flow.State, flow.Expires = former.State, former.Expires
	s.flows.put(string(state[:]), flow)
	return flow, nil
}

func (s *Store) removeFlow(flow authcore.Flow) { s.flows.remove(string(flow.State[:])) }

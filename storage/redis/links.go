package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// PutLink stores a link and ends older ones of its address. See authcore.Links.
func (s *Store) PutLink(ctx context.Context, link authcore.Link) error {
	text, err := encodeLink(link)
	if err != nil {
		return err
	}
	_, err = s.run(ctx, s.db.scripts.putLink, string(link.Secret[:]), link.EmailKey, text)
	return err
}

// TakeLink removes and returns the live link with this secret. See
// authcore.Links.
func (s *Store) TakeLink(ctx context.Context, secret authcore.Digest, now time.Time) (authcore.Link, error) {
	return linkOf(s.run(ctx, s.db.scripts.takeLink, string(secret[:]), stamp(now)))
}

// TakeCode counts and evaluates a guess at the code of the address's live link.
// See authcore.Links.
func (s *Store) TakeCode(
	ctx context.Context, emailKey string, code authcore.Digest, now time.Time,
) (authcore.Link, error) {
	return linkOf(s.run(ctx, s.db.scripts.takeCode,
		emailKey, string(code[:]), stamp(now), strconv.Itoa(authcore.MaxGuesses)))
}

func linkOf(result answer, err error) (authcore.Link, error) {
	if err != nil {
		return authcore.Link{}, err
	}
	link, err := decodeLink(result.text(0))
	return decoded(link, err, "links")
}

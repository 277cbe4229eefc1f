package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxExamples is how many ids of users a Comparison names.
const maxExamples = 10

// Snapshot is what a store holds, as digests: some 100 bytes for each record.
type Snapshot map[[16]byte]*entry

type entry struct {
	kind   Kind
	digest [16]byte
	found  bool
}

// Take reads the source.
func Take(ctx context.Context, from authcore.Transfer, now time.Time) (Snapshot, error) {
	s := make(Snapshot)
	err := walk(ctx, "source", from, now, func(records []authcore.Record) error {
		for _, record := range records {
			if kind, known := kindOf(record); known {
				id, digest := digests(record)
				s[id] = &entry{kind: kind, digest: digest}
			}
		}
		return nil
	})
	return s, err
}

// Counts is how many records of each kind the snapshot has.
func (s Snapshot) Counts() Counts {
	var counts Counts
	for _, e := range s {
		counts[e.kind]++
	}
	return counts
}

// Comparison is how a target differs from a source.
type Comparison struct {
	// Same is in both, Missing only in the source, Changed in both and different,
	// Surplus only in the target.
	Same, Missing, Changed, Surplus Counts
	// Users are the ids of some users that are changed or surplus.
	Users []string
}

// Equal reports whether there is no difference.
func (c Comparison) Equal() bool {
	return c.Missing.Total()+c.Changed.Total()+c.Surplus.Total() == 0
}

// String tells the differences, for people.
func (c Comparison) String() string {
	var words []string
	for _, part := range []struct {
		what   string
		counts Counts
	}{{"missing", c.Missing}, {"different", c.Changed}, {"only in the target", c.Surplus}} {
		for kind, n := range part.counts {
			if n > 0 {
				words = append(words, fmt.Sprintf("%d %s %s", n, Kind(kind), part.what))
			}
		}
	}
	if len(c.Users) > 0 {
		words = append(words, "users such as "+strings.Join(c.Users, " "))
	}
	return strings.Join(words, ", ")
}

// Compare reads the target and holds it against the snapshot of the source. It
// may be called once.
func (s Snapshot) Compare(ctx context.Context, to authcore.Transfer, now time.Time) (Comparison, error) {
	var c Comparison
	surplus := make(map[[16]byte]bool)
	err := walk(ctx, "target", to, now, func(records []authcore.Record) error {
		for _, record := range records {
			kind, _ := kindOf(record)
			id, digest := digests(record)
			e := s[id]
			switch {
			case e == nil && surplus[id], e != nil && e.found: // it may come twice
				continue
			case e == nil:
				surplus[id] = true
				c.Surplus[kind]++
			case e.digest == digest:
				e.found = true
				c.Same[kind]++
				continue
			default:
				e.found = true
				c.Changed[kind]++
			}
			if record.User != nil && len(c.Users) < maxExamples {
				c.Users = append(c.Users, record.User.ID)
			}
		}
		return nil
	})
	for _, e := range s {
		if !e.found {
			c.Missing[e.kind]++
		}
	}
	return c, err
}

// digests returns one of what a record is called and one of what it says. Times
// count to the millisecond, and text without what some engine replaces: NUL and
// what is no UTF-8. When a session was seen, when something was made and until when a former
// key is kept is left out: a server that runs goes on writing that.
func digests(record authcore.Record) (id, content [16]byte) {
	switch {
	case record.User != nil:
		u := record.User
		return digest(Users, u.ID), digest(
			u.Email, u.EmailVerified, u.Disabled, u.FirstName, u.LastName, u.AvatarURL, u.Nickname)
	case record.Identity != nil:
		i := record.Identity
		return digest(Identities, i.Provider, i.Issuer, i.Subject), digest(i.UserID, i.Email)
	case record.Session != nil:
		s := record.Session
		return digest(Sessions, s.ID), digest(s.UserID, s.TokenID, s.Client, s.Method, s.Expires.UnixMilli())
	case record.Revocation != nil:
		r := record.Revocation
		return digest(Revocations, r.Kind, r.ID), digest(r.Until.UnixMilli())
	case record.Key != nil:
		k := record.Key
		return digest(Keys, k.ID), digest(k.Algorithm, k.Private, k.Signs.UnixMilli())
	}
	return id, content
}

func digest(parts ...any) [16]byte {
	unkeepable := strings.NewReplacer("\x00", "", "\uFFFD", "")
	for i, part := range parts {
		if text, ok := part.(string); ok {
			parts[i] = unkeepable.Replace(strings.ToValidUTF8(text, ""))
		}
	}
	text, _ := json.Marshal(parts) // strings, bytes, numbers and booleans: never fails
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}

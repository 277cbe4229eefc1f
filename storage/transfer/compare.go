package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxExamples limits the IDs of users in a Comparison.
const maxExamples = 10

// Snapshot holds the contents of a store as digests, about 100 bytes for each item.
type Snapshot map[[16]byte]*entry

type entry struct {
	kind   Kind
	digest [16]byte
	found  bool
}

// Take reads the source.
func Take(ctx context.Context, from authcore.Transfer, now time.Time) (Snapshot, error) {
	s := make(Snapshot)
	err := walk(ctx, "source", from, now, func(items []authcore.Item) error {
		for _, item := range items {
			if kind, known := kindOf(item); known {
				id, digest := digests(item)
				s[id] = &entry{kind: kind, digest: digest}
			}
		}
		return nil
	})
	return s, err
}

// Counts returns the number of items of each kind.
func (s Snapshot) Counts() Counts {
	var counts Counts
	for _, e := range s {
		counts[e.kind]++
	}
	return counts
}

// Comparison describes the difference between a source and a target.
type Comparison struct {
	// Same items are equal in both, Missing ones are only in the source, Changed
	// ones differ, Surplus ones are only in the target.
	Same, Missing, Changed, Surplus Counts
	// Users holds the IDs of some users that are changed or surplus.
	Users []string
}

// Equal reports whether there is no difference.
func (c Comparison) Equal() bool {
	return c.Missing.Total()+c.Changed.Total()+c.Surplus.Total() == 0
}

// String lists the differences, for people.
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

// Compare reads the target and compares it with the snapshot of the source. It may
// be called once.
func (s Snapshot) Compare(ctx context.Context, to authcore.Transfer, now time.Time) (Comparison, error) {
	var c Comparison
	surplus := make(map[[16]byte]bool)
	err := walk(ctx, "target", to, now, func(items []authcore.Item) error {
		for _, item := range items {
			kind, _ := kindOf(item)
			id, digest := digests(item)
			e := s[id]
			switch {
			case e == nil && surplus[id], e != nil && e.found: // an item may be returned twice
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
			if item.User != nil && len(c.Users) < maxExamples {
				c.Users = append(c.Users, item.User.ID)
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

// digests returns a digest of the key of an item and one of its contents. Times
// count to the millisecond, and text without what some engines replace: NUL and
// invalid UTF-8. Fields that a running server keeps writing and that decide nothing
// are left out, such as Session.LastSeen and SigningKey.Expires.
func digests(item authcore.Item) (id, content [16]byte) {
	switch {
	case item.User != nil:
		u := item.User
		var factors []string
		for _, factor := range u.Factors {
			factors = append(factors, factor.Kind, factor.ID)
		}
		return digest(Users, u.ID), digest(
			u.Email, u.EmailVerified, u.Disabled, u.FirstName, u.LastName, u.AvatarURL, u.Nickname, strings.Join(u.Roles, "\n"), strings.Join(u.Granted, "\n"),
			strings.Join(factors, "\n"), strings.Join(u.Passkeys, "\n"), u.DeviceEpoch)
	case item.Identity != nil:
		i := item.Identity
		return digest(Identities, i.Provider, i.Issuer, i.Subject, i.Key().Pending),
			digest(string(i.State), i.UserID, i.Email, i.PublicID, millis(i.Expires), strings.Join(i.Roles, "\n"))
	case item.Session != nil:
		s := item.Session
		return digest(Sessions, s.ID), digest(s.UserID, s.Token.ID, s.Client, s.Method, millis(s.Expires))
	case item.Record != nil:
		r := item.Record
		return digest(Records, r.Kind, r.Key), digest(r.Owner, r.Data, millis(r.Expires))
	case item.Revocation != nil:
		r := item.Revocation
		return digest(Revocations, string(r.Kind), r.ID), digest(millis(r.Until), r.Value)
	case item.Key != nil:
		k := item.Key
		return digest(Keys, k.ID), digest(k.Algorithm, k.Private, millis(k.Signs))
	}
	return id, content
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func digest(parts ...any) [16]byte {
	unkeepable := strings.NewReplacer("\x00", "", "\uFFFD", "")
	for i, part := range parts {
		switch part := part.(type) {
		case string:
			parts[i] = unkeepable.Replace(strings.ToValidUTF8(part, ""))
		case []byte:
			parts[i] = append([]byte{}, part...) // nil and empty are equal
		}
	}
	text, _ := json.Marshal(parts) // strings, bytes, numbers and booleans: never fails
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}

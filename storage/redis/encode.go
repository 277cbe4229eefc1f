package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// stampLength is the length of every stamp.
const stampLength = 21

// yearOne is the seconds from the zero time to 1970.
const yearOne = 62135596800

// stamp writes a time as 12 digits of seconds since the zero time and 9 of
// nanoseconds: scripts compare the two as numbers, without loss. The zero time is
// all zeros; what does not fit is cut to the nearest that does.
func stamp(t time.Time) string {
	seconds := t.Unix() + yearOne
	switch {
	case seconds < 0:
		return strings.Repeat("0", stampLength)
	case seconds > 999_999_999_999:
		return strings.Repeat("9", stampLength)
	}
	return fmt.Sprintf("%012d%09d", seconds, t.Nanosecond())
}

// errDamaged says that a value is none that this package wrote.
var errDamaged = errors.New("damaged")

func parseStamp(text string) (time.Time, error) {
	if len(text) != stampLength {
		return time.Time{}, errDamaged
	}
	seconds, err := strconv.ParseUint(text[:12], 10, 63)
	if err != nil {
		return time.Time{}, errDamaged
	}
	nanoseconds, err := strconv.ParseUint(text[12:], 10, 31)
	if err != nil {
		return time.Time{}, errDamaged
	}
	if seconds == 0 && nanoseconds == 0 {
		return time.Time{}, nil
	}
	return time.Unix(int64(seconds)-yearOne, int64(nanoseconds)).UTC(), nil
}

// part precedes a text by its length and ends it with a comma, so that no two
// lists of parts are the same text, whatever stands in them.
func part(text string) string { return strconv.Itoa(len(text)) + ":" + text + "," }

// fields reads values from the front of what a script returned.
type fields struct {
	text string
	err  error
}

func (f *fields) take(n int) string {
	if f.err != nil || n < 0 || len(f.text) < n {
		f.err = errDamaged
		return ""
	}
	taken := f.text[:n]
	f.text = f.text[n:]
	return taken
}

func (f *fields) stamp() time.Time {
	t, err := parseStamp(f.take(stampLength))
	f.err = errors.Join(f.err, err)
	return t
}

func (f *fields) part() string {
	length, _, found := strings.Cut(f.text, ":")
	n, err := strconv.Atoi(length)
	if !found || err != nil {
		f.err = errDamaged
		return ""
	}
	f.take(len(length) + 1)
	text := f.take(n)
	if f.take(1) != "," {
		f.err = errDamaged
	}
	return text
}

// json reads the rest. What the decoder says is kept: it cites what it read.
func (f *fields) json(value any) error {
	if f.err != nil || json.Unmarshal([]byte(f.text), value) != nil {
		return errDamaged
	}
	return nil
}

// toJSON fails for a time without a JSON form.
func toJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", unavailable(errors.New("a value has no JSON form"))
	}
	return string(text), nil
}

func encodeUser(user authcore.User) (string, error) {
	if user.ID == "" {
		return "", unavailable(errors.New("a user needs an id"))
	}
	flags := []byte("a-")
	if user.Disabled {
		flags[0] = 'd'
	}
	if user.EmailKey() != "" {
		flags[1] = 'v'
	}
	text, err := toJSON(user)
	return string(flags) + text, err
}

func decodeUser(text string) (authcore.User, error) {
	var user authcore.User
	f := fields{text: text}
	f.take(2)
	err := f.json(&user)
	return user, err
}

// identityKey finds an identity by its three parts.
func identityKey(i authcore.Identity) string {
	return part(i.Provider) + part(i.Issuer) + part(i.Subject)
}

// encodeIdentity leaves the user out, whom the script puts before it.
func encodeIdentity(identity authcore.Identity) (string, error) {
	identity.UserID = ""
	return toJSON(identity)
}

func decodeIdentity(text string) (authcore.Identity, error) {
	var identity authcore.Identity
	f := fields{text: text}
	user := f.part()
	err := f.json(&identity)
	identity.UserID = user
	return identity, err
}

// encodeLink and encodeSession write the fields that scripts look at before the
// JSON of the rest.
func encodeLink(link authcore.Link) (string, error) {
	if link.Guesses < 0 || link.Guesses > authcore.MaxGuesses {
		return "", unavailable(errors.New("a link has an impossible number of guesses"))
	}
	head := stamp(link.Expires) + strconv.Itoa(link.Guesses) + string(link.Code[:]) + string(link.Secret[:])
	text, err := toJSON(linkRest{Email: link.Email, Created: link.Created})
	return head + part(link.EmailKey) + text, err
}

// linkRest is what of a link only Go looks at.
type linkRest struct {
	Email   string    `json:"email"`
	Created time.Time `json:"created"`
}

func decodeLink(text string) (authcore.Link, error) {
	const size = len(authcore.Digest{})
	f := fields{text: text}
	var rest linkRest
	expires, guesses, code, secret, key := f.stamp(), f.take(1), f.take(size), f.take(size), f.part()
	if err := f.json(&rest); err != nil {
		return authcore.Link{}, err
	}
	n, err := strconv.Atoi(guesses)
	return authcore.Link{
		Secret: authcore.Digest([]byte(secret)), Code: authcore.Digest([]byte(code)), Email: rest.Email, EmailKey: key,
		Created: rest.Created, Expires: expires, Guesses: n,
	}, err
}

func encodeFlow(flow authcore.Flow) (string, error) {
	text, err := toJSON(flow)
	return stamp(flow.Expires) + text, err
}

func decodeFlow(text string) (authcore.Flow, error) {
	var flow authcore.Flow
	f := fields{text: text}
	f.stamp()
	err := f.json(&flow)
	return flow, err
}

func encodeSession(session authcore.Session) (string, error) {
	head := stamp(session.Expires) + stamp(session.LastSeen) + part(session.UserID) + part(session.TokenID)
	session.Expires, session.LastSeen, session.UserID, session.TokenID = time.Time{}, time.Time{}, "", ""
	text, err := toJSON(session)
	return head + text, err
}

func decodeSession(text string) (authcore.Session, error) {
	var session authcore.Session
	f := fields{text: text}
	expires, seen, user, token := f.stamp(), f.stamp(), f.part(), f.part()
	err := f.json(&session)
	session.Expires, session.LastSeen, session.UserID, session.TokenID = expires, seen, user, token
	return session, err
}

// decodeRevocation reads an entry of the feed: its kind and id, and until when it
// lasts, when it may be forgotten and when it was made. Now is by the clock of
// Redis, as the last of these.
func decodeRevocation(member, value string, now time.Time) (authcore.Revocation, error) {
	f, v := fields{text: member}, fields{text: value}
	kind := f.part()
	until, _, made := v.stamp(), v.stamp(), v.stamp()
	if err := errors.Join(f.err, v.err); err != nil {
		return authcore.Revocation{}, errDamaged
	}
	return authcore.Revocation{Kind: gate.RevocationKind(kind), ID: f.text, Until: until, Age: max(0, now.Sub(made))}, nil
}

// decodeAll decodes a list, or nothing of it.
func decodeAll[T any](texts []string, decode func(string) (T, error)) ([]T, error) {
	var values []T
	for _, text := range texts {
		value, err := decode(text)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

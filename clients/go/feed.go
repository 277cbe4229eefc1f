package edgeauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

func (e *Edge) get(ctx context.Context, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.o.API+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := e.o.Client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("edgeauth: GET %s = %d", path, answer.StatusCode)
	}
	return io.ReadAll(answer.Body)
}

// part is one signed part of the revocations.
type part struct {
	jwt.RegisteredClaims
	Cursor   string `json:"cursor"`
	Since    string `json:"since"`
	Delta    bool   `json:"delta"`
	Part     int    `json:"part"`
	Parts    int    `json:"parts"`
	Users    string `json:"users"`
	Sessions string `json:"sessions"`
	Roles    string `json:"roles"`
}

// hash identifies a user or a session.
type hash [8]byte

func hashOf(id string) hash {
	sum := sha256.Sum256([]byte(id))
	return hash(sum[:8])
}

// entry ends at a time. One of roles has in addition the time and result of the change.
type entry struct {
	end, at uint32
	roles   []string
}

// feed contains the revocations in force. It never changes.
type feed struct {
	cursor string
	issued int64
	lists  [3]map[hash]entry // users, sessions, roles
}

var errFeed = errors.New("edgeauth: the revocations are incomplete or malformed")

// with returns the feed after a document, which is the full list or what changed.
func (f *feed) with(parts []part) (*feed, error) {
	if len(parts) == 0 || parts[0].IssuedAt == nil || len(parts) != parts[0].Parts {
		return nil, errFeed
	}
	first := parts[0]
	issued := first.IssuedAt.Unix()
	if issued <= f.issued {
		return f, nil // from a node that is a second behind
	}
	if first.Delta && first.Since != f.cursor {
		return &feed{issued: f.issued, lists: f.lists}, nil // everything, next time
	}
	next := &feed{cursor: first.Cursor, issued: issued}
	for i := range next.lists {
		next.lists[i] = map[hash]entry{}
		if first.Delta {
			maps.Copy(next.lists[i], f.lists[i])
		}
	}
	for n, p := range parts {
		if p.Part != n+1 || p.Cursor != first.Cursor {
			return nil, errFeed
		}
		for i, list := range []string{p.Users, p.Sessions, p.Roles} {
			raw, err := base64.RawURLEncoding.DecodeString(list)
			if err != nil || !apply(next.lists[i], raw, i == 2) {
				return nil, errFeed
			}
		}
	}
	for _, list := range next.lists { // an end of 0 lifts an entry; clocks may differ by a minute
		maps.DeleteFunc(list, func(_ hash, e entry) bool { return int64(e.end) < issued-60 })
	}
	return next, nil
}

// apply adds a list. It is false if the list is malformed.
func apply(entries map[hash]entry, list []byte, withRoles bool) bool {
	for len(list) >= 12 {
		id, e := hash(list[:8]), entry{end: binary.BigEndian.Uint32(list[8:])}
		list = list[12:]
		if withRoles {
			if len(list) < 6 || len(list) < 6+int(binary.BigEndian.Uint16(list[4:])) {
				return false
			}
			end := 6 + int(binary.BigEndian.Uint16(list[4:]))
			e.at, e.roles = binary.BigEndian.Uint32(list), strings.FieldsFunc(string(list[6:end]), func(r rune) bool { return r == ',' })
			list = list[end:]
		}
		entries[id] = e
	}
	return len(list) == 0
}

// revoked reports whether the user or the session has ended, and applies changed roles.
func (f *feed) revoked(c *Claims) bool {
	_, user := f.lists[0][hashOf(c.Subject)]
	_, session := f.lists[1][hashOf(c.Session)]
	change, found := f.lists[2][hashOf(c.Subject)]
	if found && c.IssuedAt != nil && c.IssuedAt.Unix() <= int64(change.at)+60 {
		c.Roles = change.roles
	}
	return user || session
}

package migrate

import (
	"fmt"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// Kind is what a record is.
type Kind int

// The kinds in the order in which they are told.
const (
	Users Kind = iota
	Identities
	Sessions
	Revocations
	Keys
	kinds
)

func (k Kind) String() string {
	return [kinds]string{"users", "identities", "sessions", "revocations", "keys"}[k]
}

// Counts is how many there are of each kind.
type Counts [kinds]int

// Total is the number of all records.
func (c Counts) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// String is for people: "3 users, 2 identities, …".
func (c Counts) String() string {
	words := make([]string, 0, kinds)
	for kind, n := range c {
		words = append(words, fmt.Sprint(n, " ", Kind(kind)))
	}
	return strings.Join(words, ", ")
}

// kindOf returns what a record is; false for one that this program does not know.
func kindOf(record authcore.Record) (Kind, bool) {
	switch {
	case record.User != nil:
		return Users, true
	case record.Identity != nil:
		return Identities, true
	case record.Session != nil:
		return Sessions, true
	case record.Revocation != nil:
		return Revocations, true
	case record.Key != nil:
		return Keys, true
	}
	return 0, false
}

package transfer

import (
	"fmt"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// Kind is the kind of an item.
type Kind int

// The kinds in the order in which they are reported.
const (
	Users Kind = iota
	Identities
	Sessions
	Records
	Revocations
	Keys
	kinds
)

func (k Kind) String() string {
	return [kinds]string{"users", "identities", "sessions", "records", "revocations", "keys"}[k]
}

// Counts holds the number of items of each kind.
type Counts [kinds]int

// Total returns the number of all items.
func (c Counts) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// String returns text for people: "3 users, 2 identities, …".
func (c Counts) String() string {
	words := make([]string, 0, kinds)
	for kind, n := range c {
		words = append(words, fmt.Sprint(n, " ", Kind(kind)))
	}
	return strings.Join(words, ", ")
}

// kindOf returns the kind of an item, or false if this program does not know it.
func kindOf(item authcore.Item) (Kind, bool) {
	switch {
	case item.User != nil:
		return Users, true
	case item.Identity != nil:
		return Identities, true
	case item.Session != nil:
		return Sessions, true
	case item.Record != nil:
		return Records, true
	case item.Revocation != nil:
		return Revocations, true
	case item.Key != nil:
		return Keys, true
	}
	return 0, false
}

package storagetest

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// Journal records the steps that victims reported, for a comparison with the
// store.
type Journal struct {
	// Lines counts the lines that were noted.
	Lines int

	users    map[string]string       // address -> id
	sessions map[string]string       // live session -> user
	ended    map[string]bool         // revoked sessions
	links    map[string]expectedLink // by record key
	keys     string
}

type expectedLink struct {
	// guesses counts acknowledged guesses.
	guesses int
	// taking reports that a login with the link was about to begin, taken that it
	// succeeded.
	taking, taken bool
}

// NewJournal returns an empty journal.
func NewJournal() *Journal {
	return &Journal{
		users:    make(map[string]string),
		sessions: make(map[string]string),
		ended:    make(map[string]bool),
		links:    make(map[string]expectedLink),
	}
}

// Note records a line of a victim.
func (j *Journal) Note(line string) {
	words := strings.Fields(line)
	j.Lines++
	switch subject := words[1]; words[0] {
	case "user":
		j.users[subject] = words[2]
	case "session":
		j.sessions[subject] = words[2]
	case "ending":
		delete(j.sessions, subject)
	case "ended":
		j.ended[subject] = true
	case "link":
		j.links[subject] = expectedLink{}
	case "guess":
		link := j.links[subject]
		link.guesses++
		j.links[subject] = link
	case "taking":
		link := j.links[subject]
		link.taking = true
		j.links[subject] = link
	case "taken":
		j.links[subject] = expectedLink{taken: true}
	case "keys":
		if number(subject) > number(j.keys) { // loops report out of order
			j.keys = subject
		}
	}
}

// Check compares a store with the steps that were acknowledged in all rounds so
// far: stored items are there, taken or ended ones are not, and steps that were
// under way happened completely or not at all.
func (j *Journal) Check(t *testing.T, store authcore.Store, round int) {
	t.Helper()
	for email, id := range j.users {
		name := strings.TrimSuffix(email, "@example.com")
		for _, ref := range []authcore.UserRef{byEmail(email), byIdentity(stepAccount(name).Identities[0])} {
			if got, err := store.User(t.Context(), ref); err != nil || got.ID != id {
				t.Errorf("round %d: User(%+v) = %+v, error %v, want %s", round, ref, got, err, id)
			}
		}
	}
	j.checkSessions(t, store, round)
	j.checkLinks(t, store, round)
	keys, err := store.UpdateKeys(t.Context(), unchanged)
	if err != nil || j.keys != "" && (len(keys) != 1 || number(keys[0].ID) < number(j.keys)) {
		t.Errorf("round %d: UpdateKeys = %v, error %v, want %s or a later one", round, keys, err, j.keys)
	}
}

func (j *Journal) checkSessions(t *testing.T, store authcore.Store, round int) {
	t.Helper()
	live := make(map[string]bool)
	for _, id := range j.users {
		account, err := store.Account(t.Context(), byID(id), start)
		if err != nil {
			t.Errorf("round %d: Account: error %v", round, err)
		}
		for _, session := range account.Sessions {
			live[session.ID] = true
		}
	}
	revoked, _ := feedSince(t, store, "")
	isRevoked := func(id string) bool {
		_, found := revoked[feedKey(authcore.RevokeSession, id)]
		return found
	}
	for id := range j.sessions {
		if !live[id] || isRevoked(id) {
			t.Errorf("round %d: session %s was lost: live %v, revoked %v", round, id, live[id], isRevoked(id))
		}
	}
	for id := range j.ended {
		if live[id] || !isRevoked(id) {
			t.Errorf("round %d: session %s returned: live %v, revoked %v", round, id, live[id], isRevoked(id))
		}
	}
}

// checkLinks takes every link, and notes that, so that the next rounds check that
// it stays taken.
func (j *Journal) checkLinks(t *testing.T, store authcore.Store, round int) {
	t.Helper()
	for key, want := range j.links {
		got, err := store.TakeRecord(t.Context(), StepRecord(key).RecordKey, start)
		switch {
		case err != nil && !errors.Is(err, authcore.ErrNotFound):
			t.Errorf("round %d: TakeRecord: error %v", round, err)
		case want.taken && err == nil:
			t.Errorf("round %d: link %s was taken twice", round, key)
		case !want.taken && !want.taking && err != nil:
			t.Errorf("round %d: link %s was lost", round, key)
		case err == nil && len(got.Data) < want.guesses:
			t.Errorf("round %d: link %s has %d guesses, want %d", round, key, len(got.Data), want.guesses)
		}
		j.links[key] = expectedLink{taken: true}
	}
}

// number parses a key ID; it returns 0, which no check accepts, for other texts.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

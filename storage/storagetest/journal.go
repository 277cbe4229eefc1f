package storagetest

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// Journal is what a parent knows of its victims, in order to hold it against what
// is in the store.
type Journal struct {
	// Lines is how many lines were noted.
	Lines int

	users    map[string]string       // address -> id
	sessions map[string]string       // live session -> user
	ended    map[string]bool         // revoked sessions
	links    map[string]expectedLink // secret -> what is known of it
	keys     string
}

type expectedLink struct {
	// guesses that were acknowledged
	guesses int
	// taking says that somebody was about to take it, taken that it was taken
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

// Note takes down a line of a victim.
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
		if number(subject) > number(j.keys) { // loops speak out of order
			j.keys = subject
		}
	}
}

// Check holds a store against what was acknowledged in all rounds so far: what was
// put is there, what was taken or ended is not, and what was under way is either.
func (j *Journal) Check(t *testing.T, store authcore.Store, round int) {
	t.Helper()
	for email, id := range j.users {
		if got, err := store.UserByEmail(t.Context(), email); err != nil || got.ID != id {
			t.Errorf("round %d: user %s: %+v, error %v", round, email, got, err)
		}
	}
	j.checkSessions(t, store, round)
	j.checkLinks(t, store, round)
	keys, err := store.UpdateKeys(t.Context(), func(keys []authcore.SigningKey) ([]authcore.SigningKey, error) {
		return keys, nil
	})
	if err != nil || j.keys != "" && (len(keys) != 1 || number(keys[0].ID) < number(j.keys)) {
		t.Errorf("round %d: keys %v, error %v, want %s or a later one", round, keys, err, j.keys)
	}
}

func (j *Journal) checkSessions(t *testing.T, store authcore.Store, round int) {
	t.Helper()
	live := make(map[string]bool)
	for _, id := range j.users {
		sessions, err := store.SessionsOf(t.Context(), id, start)
		if err != nil {
			t.Errorf("round %d: SessionsOf: %v", round, err)
		}
		for _, session := range sessions {
			live[session.ID] = true
		}
	}
	revocations, _, err := store.RevocationsSince(t.Context(), "")
	if err != nil {
		t.Errorf("round %d: RevocationsSince: %v", round, err)
	}
	revoked := make(map[string]bool)
	for _, r := range revocations {
		revoked[r.ID] = true
	}
	for id := range j.sessions {
		if !live[id] || revoked[id] {
			t.Errorf("round %d: session %s was lost: live %v, revoked %v", round, id, live[id], revoked[id])
		}
	}
	for id := range j.ended {
		if live[id] || !revoked[id] {
			t.Errorf("round %d: session %s came back: live %v, revoked %v", round, id, live[id], revoked[id])
		}
	}
}

// checkLinks takes every link, and notes that, so that the next rounds see
// whether it stays taken.
func (j *Journal) checkLinks(t *testing.T, store authcore.Store, round int) {
	t.Helper()
	for secret, want := range j.links {
		got, err := store.TakeLink(t.Context(), authcore.DigestOf("link", secret), start)
		switch {
		case err != nil && !errors.Is(err, authcore.ErrNotFound):
			t.Errorf("round %d: TakeLink: %v", round, err)
		case want.taken && err == nil:
			t.Errorf("round %d: link %s was taken twice", round, secret)
		case !want.taken && !want.taking && err != nil:
			t.Errorf("round %d: link %s was lost", round, secret)
		case err == nil && got.Guesses < want.guesses:
			t.Errorf("round %d: link %s forgot guesses: %d, want %d", round, secret, got.Guesses, want.guesses)
		}
		j.links[secret] = expectedLink{taken: true}
	}
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // 0 for no number, which no check passes
	return n
}

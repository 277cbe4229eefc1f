package authcore

import (
	"slices"
	"testing"
	"time"
)

// API keys neither count for the limit of logins nor end by it.
func TestStartKeepsKeys(t *testing.T) {
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	session := func(id, method string, minute int) Session {
		return Session{ID: id, Method: method, Created: at.Add(time.Duration(minute) * time.Minute)}
	}
	a := Account{Sessions: []Session{
		session("key 2", MethodKey, 4), session("third", "link", 3), session("second", "link", 2), session("first", "link", 1), session("key 1", MethodKey, 0),
	}}
	a.Start(session("new", "link", 5), 2)
	var left, ended []string
	for _, s := range a.Sessions {
		left = append(left, s.ID)
	}
	for _, r := range a.Revocations {
		ended = append(ended, r.ID)
	}
	if want := []string{"new", "key 2", "third", "key 1"}; !slices.Equal(left, want) {
		t.Errorf("Start() left %v, want %v", left, want)
	}
	if want := []string{"second", "first"}; !slices.Equal(ended, want) {
		t.Errorf("Start() ended %v, want %v", ended, want)
	}
}

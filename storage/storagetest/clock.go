package storagetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func clockChecks() []check {
	return []check{
		{"ZonesDoNotMatter", zones},
		{"ForwardAndBack", jumps},
	}
}

// zones passes the same instants in different time zones: their texts have another
// order.
func zones(t *testing.T, store authcore.Store) {
	east, west := time.FixedZone("east", 13*3600+45*60), time.FixedZone("west", -11*3600)
	for i, zone := range [][2]*time.Location{{east, west}, {west, east}, {time.UTC, west}, {east, time.UTC}} {
		stored, asked := zone[0], zone[1]
		record := newRecord(fmt.Sprint(i), "ada")
		record.Created, record.Expires = record.Created.In(stored), record.Expires.In(stored)
		put(t, store, record)
		last := record.Expires.Add(-time.Second)
		sweep(t, store, last.In(asked))
		got, err := store.Record(t.Context(), record.RecordKey, last.In(asked))
		wantErr(t, "Record before its end", err, nil)
		wantSame(t, "Record", got, record)
		_, err = store.TakeRecord(t.Context(), record.RecordKey, record.Expires.In(asked))
		wantErr(t, "TakeRecord at its end", err, authcore.ErrNotFound)

		account := newAccount(fmt.Sprint("user", i))
		account.User.Created, account.User.LastLogin = start.In(stored), start.In(stored)
		session := &account.Sessions[0]
		session.Created, session.Expires, session.LastSeen = start.In(stored), at(day).In(stored), at(time.Minute).In(stored)
		signUp(t, store, account)
		seen := authcore.SessionRef{UserID: account.User.ID, ID: session.ID}
		err = store.MarkSeen(t.Context(), map[authcore.SessionRef]time.Time{seen: at(time.Second).In(asked)})
		wantErr(t, "MarkSeen", err, nil)
		wantAccount(t, store, at(day-time.Second).In(asked), account)
		filter := authcore.UserFilter{CreatedFrom: start.In(asked), CreatedTo: at(time.Second).In(asked)}
		if users := list(t, store, filter, ""); len(users) != i+1 {
			t.Errorf("Users created at the start = %d, want %d", len(users), i+1)
		}
		account.Sessions = nil
		wantAccount(t, store, at(day).In(asked), account)
		counter := authcore.Counter{Limit: "zone", Party: fmt.Sprint(i), Window: time.Hour}
		wantCount(t, store, start.In(stored), counter, 1, 1)
		wantCount(t, store, start.In(asked), counter, 1, 2)
	}
}

// jumps turns the clock ahead and back without a sweep: reading an item at a later
// time deletes nothing.
func jumps(t *testing.T, store authcore.Store) {
	account, record := signUpNamed(t, store, "ada"), newRecord("key", "ada")
	put(t, store, record)
	future, past := at(100*365*day), at(-100*365*day)
	for name, err := range map[string]error{
		"TakeRecord": drop(store.TakeRecord(t.Context(), record.RecordKey, future)),
		"UpdateRecord": drop(store.UpdateRecord(t.Context(), record.RecordKey, future, func(*authcore.Record) error {
			return nil
		})),
		"Login": drop(store.Login(t.Context(), authcore.LoginStep{
			Now: future, Proof: record.RecordKey, Decide: storing(newAccount("grace")),
		})),
	} {
		wantErr(t, name+" in the future", err, authcore.ErrNotFound)
	}
	records, err := recordsOf(t, store, "link", "ada", future)
	if err != nil || len(records) != 0 {
		t.Errorf("ListRecords in the future = %s, error %v, want none", plain(records), err)
	}
	got, err := store.Account(t.Context(), byID(account.User.ID), future)
	if err != nil || len(got.Sessions) != 0 {
		t.Errorf("Account in the future = %s, error %v, want no session", plain(got), err)
	}
	wantAccount(t, store, past, account)
	wantErr(t, "TakeRecord in the past", drop(store.TakeRecord(t.Context(), record.RecordKey, past)), nil)
}

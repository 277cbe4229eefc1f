package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func updateChecks(config Config) []check {
	checks := []check{
		{"Unknown", func(t *testing.T, store authcore.Store) {
			wantErr(t, "UpdateAccount", drop(store.UpdateAccount(t.Context(), uuid(), start, func(*authcore.Account) error {
				t.Error("change was called for an unknown user")
				return nil
			})), authcore.ErrNotFound)
		}},
		{"ExpiredIdentityIsAbsent", expiredIdentity},
		{"LastMethodStays", lastMethod},
		{"NoUpdateIsLost", func(t *testing.T, store authcore.Store) {
			account := signUp(t, store, authcore.Account{User: newUser("ada@example.com")})
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			together(2*few, func(i int) {
				ctx, want := t.Context(), error(nil)
				if i >= few { // the calls of others end
					ctx, want = ended, context.Canceled
				}
				err := drop(store.UpdateAccount(ctx, account.User.ID, start, func(a *authcore.Account) error {
					a.User.FirstName += "x"
					a.Identities = append(a.Identities, newIdentity(fmt.Sprint(i)))
					a.Start(newSession(time.Duration(i)*time.Minute), 0)
					return nil
				}))
				wantErr(t, "UpdateAccount", err, want)
			})
			got, err := store.Account(t.Context(), byID(account.User.ID), start)
			if err != nil || len(got.User.FirstName) != len("Ada")+few || len(got.Identities) != few || len(got.Sessions) != few {
				t.Errorf("Account = %s, error %v, want %d updates", plain(got), err, few)
			}
		}},
	}
	for name, change := range accountChanges() {
		checks = append(checks, check{"Change/" + name, func(t *testing.T, store authcore.Store) {
			changeAccount(t, config, store, change)
		}})
	}
	return checks
}

// accountChanges returns every kind of difference to fullAccount.
func accountChanges() map[string]func(*authcore.Account) {
	return map[string]func(*authcore.Account){
		"Nothing": func(*authcore.Account) {},
		"UserFields": func(a *authcore.Account) {
			a.User.FirstName, a.User.LastName, a.User.AvatarURL, a.User.Nickname = "Grace", "Hopper", "", "grace"
			a.User.LastLogin = at(time.Hour)
		},
		"Roles":             func(a *authcore.Account) { a.User.Roles = []string{"operator"} },
		"Granted":           func(a *authcore.Account) { a.User.Granted = nil },
		"IdentityRoles":     func(a *authcore.Account) { a.Identities[0].Roles, a.Identities[0].RolesAt = nil, time.Time{} },
		"NoRoles":           func(a *authcore.Account) { a.User.Roles = nil },
		"RolesInPlace":      func(a *authcore.Account) { a.User.Roles[0] = "auditor" },
		"NoFactors":         func(a *authcore.Account) { a.User.Factors = nil },
		"RemovePasskey":     func(a *authcore.Account) { a.User.Passkeys = a.User.Passkeys[1:] },
		"PasskeyInPlace":    func(a *authcore.Account) { a.User.Passkeys[0] = "third" },
		"NeverLoggedIn":     func(a *authcore.Account) { a.User.LastLogin = time.Time{} },
		"Disable":           func(a *authcore.Account) { a.Disable(at(day)) },
		"Address":           func(a *authcore.Account) { a.User.Email = "countess@example.com" },
		"AddressSpelling":   func(a *authcore.Account) { a.User.Email = "ADA@example.com" },
		"AddressUnverified": func(a *authcore.Account) { a.User.EmailVerified = false },
		"NoAddress":         func(a *authcore.Account) { a.User.Email, a.User.EmailVerified = "", false },
		"AddIdentity":       func(a *authcore.Account) { a.Identities = append(a.Identities, newIdentity("new")) },
		"RemoveIdentity":    func(a *authcore.Account) { a.Identities = a.Identities[1:] },
		"RemoveIdentities":  func(a *authcore.Account) { a.Identities = nil },
		"Unlink":            func(a *authcore.Account) { a.Identities[0].State = authcore.IdentityUnlinked },
		"Relink":            func(a *authcore.Account) { a.Identities[2].State = authcore.IdentityActive },
		"IdentityFields": func(a *authcore.Account) {
			a.Identities[0].Email, a.Identities[0].PublicID, a.Identities[0].Created = "", uuid(), at(time.Hour)
		},
		"PendingBecomesActive": func(a *authcore.Account) {
			a.Identities[1] = newIdentity("new subject")
		},
		"PendingExpiresLater": func(a *authcore.Account) { a.Identities[1].Expires = at(2 * day) },
		"PendingNeverExpires": func(a *authcore.Account) { a.Identities[1].Expires = time.Time{} },
		"AddSession":          func(a *authcore.Account) { a.Start(newSession(time.Hour), 0) },
		"EndSession": func(a *authcore.Account) {
			second := a.Sessions[1].ID
			a.EndSessions(func(s authcore.Session) bool { return s.ID == second })
		},
		"ReplaceSession": func(a *authcore.Account) { a.Start(newSession(time.Hour), 1) },
		"RefreshSession": func(a *authcore.Account) {
			s := &a.Sessions[1]
			s.Superseded = append([]authcore.SupersededToken{{ID: s.Token.ID, At: at(time.Hour)}}, s.Superseded...)
			s.Token = authcore.SessionToken{ID: uuid(), Issued: at(time.Hour), Expires: at(2 * day)}
			s.Expires, s.LastSeen, s.IP, s.UserAgent = at(20*day), at(time.Hour), "", "other/1.0"
		},
		"SupersededInPlace": func(a *authcore.Account) { a.Sessions[0].Superseded[0].At = at(time.Hour) },
		"NoSuperseded":      func(a *authcore.Account) { a.Sessions[0].Superseded = nil },
		"RevocationOnly": func(a *authcore.Account) {
			a.Revocations = []authcore.Revocation{
				{Kind: authcore.RevokeUser, ID: a.User.ID, Until: at(day), Value: `{"roles":["a","b"]}`},
			}
		},
		"Everything": func(a *authcore.Account) {
			a.User.Email, a.User.FirstName, a.User.Roles = "countess@example.com", "Grace", []string{"auditor"}
			a.Identities = append(a.Identities[1:], newIdentity("new"))
			a.Identities[0].Email = "changed@example.com"
			a.Start(newSession(time.Hour), 2)
			a.Sessions[1].Method = "code"
		},
	}
}

// changeAccount applies a change and compares with what the change left behind.
func changeAccount(t *testing.T, config Config, store authcore.Store, change func(*authcore.Account)) {
	before := signUp(t, store, fullAccount())
	bystander := signUpNamed(t, store, "grace")
	_, cursor := feedSince(t, store, "")
	var writes int64
	if config.Writes != nil {
		writes = config.Writes(t, store)
	}
	var want authcore.Account
	got := update(t, store, before.User.ID, func(a *authcore.Account) {
		a.Revocations = nil
		change(a)
		want = a.Clone()
	})
	for i := range want.Identities {
		want.Identities[i].UserID = want.User.ID
	}
	authcore.SortAccount(&want)
	revocations := want.Revocations
	got.Revocations, want.Revocations = nil, nil
	wantSame(t, "UpdateAccount", got, want)
	wantAccount(t, store, start, want)
	wantAccount(t, store, start, bystander)
	wantFeed(t, store, cursor, revocations...)
	if config.Writes != nil && plain(want) == plain(before) && revocations == nil && config.Writes(t, store) != writes {
		t.Error("an update without a difference wrote to the store")
	}
	wantIndexes(t, store, before, want)
}

// wantIndexes checks that an account is found in all ways that it has, and in none
// that it had before: those are free for others.
func wantIndexes(t *testing.T, store authcore.Store, before, now authcore.Account) {
	t.Helper()
	found := []authcore.UserRef{byID(now.User.ID)}
	if key := now.User.EmailKey(); key != "" {
		found = append(found, byEmail(key))
	}
	for _, identity := range now.Identities {
		found = append(found, byIdentity(identity))
	}
	for _, ref := range found {
		wantUser(t, store, ref, now.User.ID)
	}
	heir := authcore.Account{User: newUser("")}
	if key := before.User.EmailKey(); !slices.Contains(found, byEmail(key)) {
		wantNoUser(t, store, byEmail(key))
		heir.User = newUser(key)
	}
	for _, identity := range before.Identities {
		if !slices.Contains(found, byIdentity(identity)) {
			wantNoUser(t, store, byIdentity(identity))
			heir.Identities = append(heir.Identities, identity)
		}
	}
	signUp(t, store, heir)
	for _, ref := range found {
		wantUser(t, store, ref, now.User.ID)
	}
}

// expiredIdentity: a pending identity whose time is over keeps its key from no
// other user, and none from its own.
func expiredIdentity(t *testing.T, store authcore.Store) {
	pending := newIdentity("pending")
	pending.State, pending.Expires = authcore.IdentityPending, at(-time.Hour)
	account := newAccount("ada")
	account.Identities = append(account.Identities, pending)
	account = signUp(t, store, account)
	wantAccount(t, store, start, account)
	renewed := pending
	renewed.Expires = at(day)
	account = update(t, store, account.User.ID, func(a *authcore.Account) { a.Identities = append(a.Identities, renewed) })
	wantUser(t, store, byIdentity(pending), account.User.ID)
	wantAccount(t, store, start, account)

	other := signUpNamed(t, store, "grace")
	got, err := store.UpdateAccount(t.Context(), other.User.ID, renewed.Expires, func(a *authcore.Account) error {
		renewed.Expires = at(2 * day)
		a.Identities = append(a.Identities, renewed)
		return nil
	})
	wantErr(t, "UpdateAccount with an expired identity of another user", err, nil)
	if len(got.Identities) != 2 {
		t.Errorf("UpdateAccount = %s, want two identities", plain(got.Identities))
	}
	wantUser(t, store, byIdentity(pending), other.User.ID)
	account.Identities = account.Identities[:1]
	wantAccount(t, store, start, account)
}

func deleteChecks() []check {
	return []check{
		{"Everything", deleteEverything},
		{"Unknown", func(t *testing.T, store authcore.Store) {
			id := uuid()
			put(t, store, newRecord("kept", id)) // an owner need not be a user
			wantErr(t, "DeleteUser of an unknown user", store.DeleteUser(t.Context(), id, revokeUser(id)), authcore.ErrNotFound)
			wantFeed(t, store, "")
			wantRecordsOf(t, store, "link", id, "kept")
		}},
	}
}

func deleteEverything(t *testing.T, store authcore.Store) {
	account := signUp(t, store, fullAccount())
	bystander, id := signUpNamed(t, store, "grace"), account.User.ID
	kept, kinds := newRecord("kept", bystander.User.ID), []string{"link", "code", "passkey"}
	put(t, store, kept)
	for i := range 300 { // more than an engine reads at a time
		record := newRecord(uuid(), id)
		record.Kind, record.Expires = kinds[i%3], []time.Time{{}, at(day)}[i%2]
		put(t, store, record)
	}
	_, cursor := feedSince(t, store, "")
	wantErr(t, "DeleteUser", store.DeleteUser(t.Context(), id, revokeUser(id)), nil)
	wantFeed(t, store, cursor, revokeUser(id))
	wantNoUser(t, store, byID(id))
	for _, kind := range kinds {
		wantRecordsOf(t, store, kind, id)
	}
	wantRecord(t, store, kept)
	wantAccount(t, store, start, bystander)
	wantErr(t, "DeleteUser again", store.DeleteUser(t.Context(), id, revokeUser(id)), authcore.ErrNotFound)
	wantIndexes(t, store, account, bystander)
	again := authcore.Account{User: newUser("")} // nothing of before returns
	again.User.ID = id
	wantAccount(t, store, start, signUp(t, store, again))
}

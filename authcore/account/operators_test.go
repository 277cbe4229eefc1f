package account_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestFind(t *testing.T) {
	f := newFixture(t, authcore.User{Email: "Ann@example.com", EmailVerified: true}, nil, nil)
	for _, name := range []string{annID, "ann@example.com", "ANN@EXAMPLE.com", " ann@example.com "} {
		if user, err := f.Find(t.Context(), name); err != nil || user.ID != annID {
			t.Errorf("Find(%q) = %+v, %v, want %s", name, user, err, annID)
		}
	}
	for _, name := range []string{"", "unknown", "bob@example.com", "ann"} {
		_, err := f.Find(t.Context(), name)
		wantError(t, "Find("+name+")", err, 404, authcore.CodeNotFound)
	}
}

func TestList(t *testing.T) {
	f := newFixture(t, authcore.User{Email: ann, EmailVerified: true}, nil, nil)
	users, next, err := f.List(t.Context(), authcore.UserFilter{EmailPrefix: "ann@"}, "")
	if err != nil || len(users) != 1 || users[0].ID != annID || next != "" {
		t.Errorf("List() = %+v, %q, %v, want %s", users, next, err, annID)
	}
}

func TestDisableAndEnable(t *testing.T) {
	f := newFixture(t, authcore.User{Email: ann, EmailVerified: true}, nil, nil)
	user, err := f.Disable(t.Context(), annID)
	if err != nil || !user.Disabled || len(f.sessions()) != 0 {
		t.Errorf("Disable() = %+v, %v with sessions %v, want a disabled user without sessions", user, err, f.sessions())
	}
	if err := f.revoked.Check(f.claims); err != gate.ErrUserInactive { //nolint:errorlint // the gate wraps nothing
		t.Errorf("Check() of a token after Disable() = %v, want %v", err, gate.ErrUserInactive)
	}
	user, err = f.Enable(t.Context(), annID)
	if err != nil || user.Disabled {
		t.Errorf("Enable() = %+v, %v, want an enabled user", user, err)
	}
	if err := f.revoked.Check(f.claims); err != gate.ErrRevoked { //nolint:errorlint // the gate wraps nothing
		t.Errorf("Check() of an old token after Enable() = %v, want %v", err, gate.ErrRevoked)
	}
	if err := f.revoked.Check(&gate.Claims{Subject: annID, Session: "new"}); err != nil {
		t.Errorf("Check() of a new token after Enable() = %v, want nil", err)
	}
	if want := []authcore.EventName{authcore.EventUserDisabled, authcore.EventUserEnabled}; !slices.Equal(f.events, want) {
		t.Errorf("events = %v, want %v", f.events, want)
	}
	_, err = f.Disable(t.Context(), "unknown")
	wantError(t, "Disable(unknown)", err, 404, authcore.CodeNotFound)
	_, err = f.Enable(t.Context(), "unknown")
	wantError(t, "Enable(unknown)", err, 404, authcore.CodeNotFound)
}

func TestDelete(t *testing.T) {
	f := newFixture(t, authcore.User{Email: ann, EmailVerified: true}, []authcore.Identity{identity("github", ann)}, nil)
	if err := f.Delete(t.Context(), annID); err != nil {
		t.Fatalf("Delete() failed: %v", err)
	}
	if f.revoked.Check(f.claims) == nil {
		t.Error("Check() of a token after Delete() = nil, want an error")
	}
	_, err := f.Find(t.Context(), ann)
	wantError(t, "Find() of a deleted user", err, 404, authcore.CodeNotFound)
	wantError(t, "repeated Delete()", f.Delete(t.Context(), annID), 404, authcore.CodeNotFound)
}

// The lifetime was shortened after the session began. The revocation of its user
// still lasts until the session's last token has expired.
func TestRevocationOutlastsOldSessions(t *testing.T) {
	for name, end := range map[string]func(*fixture) error{
		"disabled": func(f *fixture) error {
			_, err := f.Disable(t.Context(), annID)
			return err
		},
		"deleted": func(f *fixture) error { return f.Delete(t.Context(), annID) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, authcore.User{}, nil, func(c *account.Config) { c.TokenLifetime = time.Minute })
			if err := end(f); err != nil {
				t.Fatalf("Disable() or Delete() failed: %v", err)
			}
			entries, _, err := f.store.RevocationsSince(t.Context(), "")
			if err != nil {
				t.Fatalf("RevocationsSince() failed: %v", err)
			}
			i := slices.IndexFunc(entries, func(r authcore.Revocation) bool { return r.Kind == authcore.RevokeUser })
			if i < 0 || entries[i].Until.Before(f.now.Add(20*24*time.Hour)) {
				t.Errorf("revocations = %+v, want one of the user until its session expires", entries)
			}
		})
	}
}

func TestUpdateProfile(t *testing.T) {
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		first, last         *string
		wantFirst, wantLast string
		fields              []string
	}{
		"nothing":         {nil, nil, "Old", "Name", nil},
		"one":             {text(" Ann "), nil, "Ann", "Name", nil},
		"both":            {text("Ann"), text("\u3000Lee\u00a0"), "Ann", "Lee", nil},
		"empty":           {text(""), text(" "), "", "", nil},
		"invisible":       {text("A\u202en\u200bn\x00"), text("\u3164"), "Ann", "", nil},
		"longest":         {text(strings.Repeat("ä", 150)), nil, strings.Repeat("ä", 150), "Name", nil},
		"too long":        {text("Ann"), text(strings.Repeat("ä", 151)), "Old", "Name", []string{"last_name"}},
		"both are long":   {text(strings.Repeat("x", 151)), text(strings.Repeat("x", 151)), "Old", "Name", []string{"first_name", "last_name"}},
		"long with blank": {text(strings.Repeat(" ", 200) + "Ann"), nil, "Ann", "Name", nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, authcore.User{FirstName: "Old", LastName: "Name"}, nil, nil)
			user, err := f.UpdateProfile(t.Context(), f.claims, account.ProfileChange{FirstName: c.first, LastName: c.last})
			if c.fields != nil {
				wantError(t, "UpdateProfile()", err, 400, authcore.CodeInvalidRequest)
				public, _ := err.(*authcore.Error) //nolint:errorlint // checked above
				for _, field := range c.fields {
					if len(public.Fields[field]) != 1 {
						t.Errorf("fields = %v, want a message for %s", public.Fields, field)
					}
				}
			} else if err != nil || user.FirstName != c.wantFirst || user.LastName != c.wantLast {
				t.Errorf("UpdateProfile() = %+v, %v, want %q %q", user, err, c.wantFirst, c.wantLast)
			}
			if stored, err := f.CurrentUser(t.Context(), f.claims); err != nil || stored.FirstName != c.wantFirst || stored.LastName != c.wantLast {
				t.Errorf("CurrentUser() = %+v, %v, want %q %q", stored, err, c.wantFirst, c.wantLast)
			}
		})
	}
}

// damagedStore cannot decode accounts.
type damagedStore struct{ account.Store }

func (damagedStore) Account(context.Context, authcore.UserRef, time.Time) (authcore.Account, error) {
	return authcore.Account{}, fmt.Errorf("%w: %w", authcore.ErrUnavailable, authcore.ErrDamaged)
}

func TestDeleteDamagedUser(t *testing.T) {
	f := newFixture(t, authcore.User{Email: ann, EmailVerified: true}, nil, func(cfg *account.Config) {
		cfg.Store = damagedStore{cfg.Store}
	})
	if err := f.Delete(t.Context(), annID); err != nil {
		t.Errorf("Delete() of a damaged user = %v, want nil", err)
	}
	if err := f.revoked.Check(f.claims); err != gate.ErrUserInactive { //nolint:errorlint // the gate wraps nothing
		t.Errorf("Check() of a token after Delete() = %v, want %v", err, gate.ErrUserInactive)
	}
	// Its API keys are not known, and one of them may last longer than any login.
	f.revoked.Sweep(f.now.Add(365 * 24 * time.Hour))
	if err := f.revoked.Check(f.claims); err != gate.ErrUserInactive { //nolint:errorlint // the gate wraps nothing
		t.Errorf("Check() of a key a year after Delete() = %v, want %v", err, gate.ErrUserInactive)
	}
}

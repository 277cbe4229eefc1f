package adminapi

import (
	"context"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/passkey"
)

// Factor is a passkey or a second factor of a user. Kind is "passkey", "totp" or
// "recovery".
type Factor struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Name is that of a passkey. For recovery codes it is the number of unused ones.
	Name     string     `json:"name"`
	Created  time.Time  `json:"created"`
	LastUsed *time.Time `json:"last_used"`
}

// factorsOf returns the passkeys and the second factors of a user.
func (r *Realm) factorsOf(ctx context.Context, user authcore.User) ([]Factor, error) {
	shown := []Factor{}
	add := func(kind, id, name string, created, lastUsed time.Time) {
		one := Factor{Kind: kind, ID: id, Name: name, Created: created}
		if !lastUsed.IsZero() {
			one.LastUsed = &lastUsed
		}
		shown = append(shown, one)
	}
	if r.Passkeys != nil {
		registered, err := r.Passkeys.ListFor(ctx, user)
		if err != nil {
			return nil, err
		}
		for _, one := range registered {
			add(passkey.Kind, one.ID, one.Name, one.Created, one.LastUsed)
		}
	}
	overview, err := r.Factors.Overview(ctx, user)
	if err != nil {
		return nil, err
	}
	addInfo := func(kind, name string, info *factor.Info) {
		if info != nil {
			add(kind, info.ID, name, info.Created, info.LastUsed)
		}
	}
	addInfo(authcore.FactorTOTP, "", overview.TOTP)
	addInfo(authcore.FactorRecovery, strconv.Itoa(overview.RecoveryLeft), overview.Recovery)
	return shown, nil
}

// removeFactor removes a lost factor: a passkey, the application with the recovery codes,
// or the recovery codes.
func removeFactor(c *call, id string) (any, error) {
	kind, name := c.PathValue("kind"), c.PathValue("factor")
	switch {
	case kind != passkey.Kind:
		return nil, c.realm.Factors.RemoveFor(c.Context(), id, kind, name)
	case c.realm.Passkeys == nil:
		return nil, authcore.NotFound()
	}
	return nil, c.realm.Passkeys.DeleteFor(c.Context(), id, name)
}

package socialauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
)

// plan is the import of one user.
type plan struct {
	cfg   Config
	now   time.Time
	given ImportedUser
	// user is the user to store, or the existing one as far as it is known.
	user authcore.User
	// identities of each login, and the ID of the user who has them, or "".
	identities [][]authcore.Identity
	holders    map[authcore.IdentityKey]string
	result     ImportResult
}

// plan validates a user and finds the identities of its logins.
func (i *Importer) plan(given ImportedUser) (*plan, error) {
	p := &plan{
		cfg: i.cfg, now: i.cfg.Now().Round(0).UTC(), given: given,
		identities: make([][]authcore.Identity, len(given.Logins)),
		holders:    map[authcore.IdentityKey]string{},
		result:     ImportResult{Refused: make([]string, len(given.Logins))},
	}
	if n := len(given.Logins); n == 0 || n > MaxImportedLogins {
		return nil, invalid(fmt.Sprintf("A user needs between 1 and %d logins.", MaxImportedLogins))
	}
	p.user = authcore.User{FirstName: account.CleanName(given.FirstName), LastName: account.CleanName(given.LastName), Created: p.now}
	for _, name := range []string{p.user.FirstName, p.user.LastName} {
		if utf8.RuneCountInString(name) > maxName {
			return nil, invalid(fmt.Sprintf("A name has more than %d characters.", maxName))
		}
	}
	if !utf8.ValidString(given.FirstName + given.LastName) {
		return nil, invalid("A name is not valid UTF-8.")
	}
	if given.Email != "" {
		address, err := authcore.ParseAddress(given.Email)
		if err != nil {
			return nil, invalid("The e-mail address is not valid.")
		}
		p.user.Email, p.user.EmailVerified = address.String(), given.EmailVerified
	}
	granted, err := authcore.ParseRoles(given.Roles)
	if err != nil {
		return nil, invalid("The name of a role is not valid, or there are too many roles.")
	}
	p.user.Granted = granted
	p.user.Roles = i.cfg.Accounts.RulesFor("").RolesOf(&authcore.Account{User: p.user}, p.now)
	for n, login := range given.Logins {
		if p.identities[n], err = p.identitiesOf(login); err != nil {
			p.result.Refused[n] = err.Error()
		}
	}
	return p, nil
}

func invalid(detail string) error {
	return &authcore.Error{Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest, Detail: detail}
}

// identitiesOf returns the identities of a login: an active one, a pending one, or
// both.
func (p *plan) identitiesOf(login ImportedLogin) ([]authcore.Identity, error) {
	provider := p.cfg.Providers[login.Provider]
	if provider == nil {
		return nil, errors.New("provider: is not configured under this name")
	}
	importer, ok := provider.(authcore.Importer)
	if !ok {
		return nil, errors.New("provider: does not support the import of users")
	}
	names, err := importer.ImportNames(login.UID, login.TransferSub)
	if err != nil {
		return nil, err
	}
	profile := authcore.Profile{
		Issuer: names.Issuer, Subject: cmp.Or(names.Subject, names.FormerSubject), FormerSubject: names.FormerSubject,
	}
	if profile.Validate() != nil {
		return nil, errors.New("uid: is not a valid identifier")
	}
	base := authcore.Identity{Provider: login.Provider, Issuer: names.Issuer, Created: p.now}
	var identities []authcore.Identity
	if names.Subject != "" {
		active := base
		active.Subject = names.Subject
		identities = append(identities, active)
	}
	if names.FormerSubject != "" {
		pending := base
		pending.Subject, pending.State = names.FormerSubject, authcore.IdentityPending
		pending.Expires = p.now.Add(p.cfg.PendingLifetime)
		identities = append(identities, pending)
	}
	return identities, nil
}

// lookUp finds the holders of the identities, and the user.
func (p *plan) lookUp(ctx context.Context) error {
	for _, identity := range slices.Concat(p.identities...) {
		holder, err := p.cfg.Store.Account(ctx, authcore.UserRef{Identity: identity.Key()}, p.now)
		if err != nil && !errors.Is(err, authcore.ErrNotFound) {
			return err
		}
		p.holders[identity.Key()] = holder.User.ID
		p.user.ID = cmp.Or(p.user.ID, holder.User.ID)
	}
	if p.user.ID != "" || p.user.EmailKey() == "" {
		return nil
	}
	holder, err := p.cfg.Store.User(ctx, authcore.UserRef{EmailKey: p.user.EmailKey()})
	switch {
	case errors.Is(err, authcore.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	p.join(holder)
	return nil
}

// join joins the logins to the account that has the verified address, as far as
// the rules of their providers allow it.
func (p *plan) join(holder authcore.User) {
	p.user.ID = holder.ID
	for n, login := range p.given.Logins {
		if p.cfg.Accounts.RulesFor(login.Provider).LinkByEmail != account.LinkByEmailVerified {
			p.refuse(n, "the address belongs to an account here, and link_by_email is "+account.LinkByEmailNever)
		}
	}
}

// refuse sets the reason for a login, unless it has one.
func (p *plan) refuse(n int, reason string) {
	p.result.Refused[n] = cmp.Or(p.result.Refused[n], reason)
}

// items returns the items to store, and counts them.
func (p *plan) items() []authcore.Item {
	missing := p.missing()
	p.result.UserID, p.result.Stored = p.user.ID, len(missing)
	if len(missing) == 0 {
		return nil
	}
	var items []authcore.Item
	if p.user.ID == "" {
		p.user.ID, p.result.IsNew = authcore.RandomID(), true
		items = append(items, authcore.Item{User: &p.user})
	}
	for _, identity := range missing {
		identity.UserID, identity.PublicID = p.user.ID, authcore.RandomID()
		items = append(items, authcore.Item{Identity: &identity})
	}
	return items
}

// missing returns the identities that are not stored yet, and refuses the logins
// that belong to other users.
func (p *plan) missing() []authcore.Identity {
	var missing []authcore.Identity
	for n, identities := range p.identities {
		for _, identity := range identities {
			if holder := p.holders[identity.Key()]; holder != "" && holder != p.user.ID {
				p.refuse(n, "this login belongs to another account here")
			}
		}
		if p.result.Refused[n] != "" {
			continue
		}
		for _, identity := range identities {
			same := func(other authcore.Identity) bool { return other.Key() == identity.Key() }
			switch {
			case p.holders[identity.Key()] != "":
				p.result.Present++
			case !slices.ContainsFunc(missing, same):
				missing = append(missing, identity)
			}
		}
	}
	return missing
}

// stored completes the result after n items were stored. Identities that another
// import stored meanwhile are present.
func (p *plan) stored(n int) {
	p.result.UserID = p.user.ID
	if p.result.IsNew {
		n--
	}
	p.result.Present += p.result.Stored - n
	p.result.Stored = n
}

// conflict returns the result if the account changed during the import.
func (p *plan) conflict() ImportResult {
	for n := range p.given.Logins {
		p.refuse(n, "the account changed during the import; import it again")
	}
	return ImportResult{Refused: p.result.Refused}
}

package login

import (
	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// candidate is the account that a provider reported. It decides to which user it
// leads:
//
//  1. the account that has the identity, unless its user removed it
//  2. the account that was imported under the former subject that the provider
//     vouches for
//  3. the account that has the verified address, if the rules link by address
//  4. a new account, if the rules let it sign up or its verified address is invited
//
// An address that the provider did not verify is never looked up, so that it
// changes no answer. The new account gets it as an attribute.
type candidate struct {
	rules    *account.Rules
	identity authcore.Identity
	// former is the former subject that the provider vouches for. unprovenFormer
	// may be the former subject; it leads to no account.
	former, unprovenFormer string
	// email as the provider reported it, and address if it is valid.
	email   account.Email
	address authcore.Address
	// user is the new account.
	user authcore.User
	// linkTo is the token of the user who adds the identity; nil for a login.
	linkTo *gate.Claims
	// invitation is that of the address, which decide reads from the step, or nil.
	invitation *account.NewUser
}

// refs selects the accounts that decide needs; see lookup.
func (c *candidate) refs() []authcore.UserRef {
	refs := []authcore.UserRef{{Identity: c.identity.Key()}}
	if c.former != "" {
		refs = append(refs, authcore.UserRef{Identity: c.formerKey(c.former)})
	}
	switch {
	case c.linkTo != nil:
		refs = append(refs, authcore.UserRef{ID: c.linkTo.Subject})
	case c.user.EmailVerified:
		refs = append(refs, authcore.UserRef{EmailKey: c.address.Key()})
	}
	return refs
}

// lookup holds the accounts that refs selected. Those that were not found have an
// empty User.ID.
type lookup struct {
	// known has the identity, imported the former subject.
	known, imported authcore.Account
	// other has the verified address, or is the user who adds the identity.
	other authcore.Account
}

func (c *candidate) lookup(accounts []authcore.Account) lookup {
	found := lookup{known: accounts[0]}
	accounts = accounts[1:]
	if c.former != "" {
		if former := accounts[0].Identity(c.formerKey(c.former)); former != nil && former.State == authcore.IdentityPending {
			found.imported = accounts[0]
		}
		accounts = accounts[1:]
	}
	if len(accounts) > 0 {
		found.other = accounts[0]
	}
	return found
}

func (c *candidate) formerKey(subject string) authcore.IdentityKey {
	return authcore.IdentityKey{Provider: c.identity.Provider, Issuer: c.identity.Issuer, Subject: subject, Pending: true}
}

// decide is the decide function of a proof.
func (c *candidate) decide(step authcore.LoginFound) (decision, error) {
	found := c.lookup(step.Accounts)
	if err := c.readInvitation(step.Proof); err != nil {
		return decision{}, err
	}
	switch {
	case c.linkTo != nil:
		return c.link(found)
	case found.known.User.ID != "" && !c.isActive(found.known):
		return decision{}, identityUnlinked()
	case found.known.User.ID != "":
		return c.enter(found.known)
	case found.imported.User.ID != "":
		d, err := c.enter(found.imported)
		d.added = false // the user had this login before the import
		return d, err
	case !c.rules.Admits(c.email):
		return decision{}, account.NotAdmitted()
	case found.other.User.ID != "" && c.rules.LinkByEmail == account.LinkByEmailVerified:
		return c.enterInvited(found.other)
	default:
		return c.signUp(found.other.User.ID != "")
	}
}

// enter logs in to an existing account, unless the allow and deny lists refuse it.
func (c *candidate) enter(known authcore.Account) (decision, error) {
	if !c.rules.AdmitsUser(known.User, &c.identity) {
		return decision{}, account.NotAdmitted()
	}
	return c.add(known), nil
}

// enterInvited logs in to an existing account, which gets the roles of an invitation.
func (c *candidate) enterInvited(known authcore.Account) (decision, error) {
	if c.invitation == nil {
		return c.enter(known)
	}
	c.invitation.Grant(&known.User)
	d, err := c.enter(known)
	d.invited = c.invitation.Roles
	return d, err
}

// signUp returns a new account. If the verified address belongs to another
// account, the rules refuse the login or leave the address out.
func (c *candidate) signUp(taken bool) (decision, error) {
	user := c.user
	if c.invitation != nil && !taken {
		return c.accept(user), nil
	}
	switch {
	case !c.rules.MaySignUp(c.address, user.EmailVerified):
		return decision{}, signupClosed()
	case taken && c.rules.EmailTaken != account.EmailTakenNewAccount:
		return decision{}, emailTaken()
	case taken:
		user.Email, user.EmailVerified = "", false
	}
	return c.create(user), nil
}

func (c *candidate) create(user authcore.User) decision {
	return decision{
		account: authcore.Account{User: user, Identities: []authcore.Identity{c.identity}},
		isNew:   true, identity: c.identity.PublicID, by: c,
	}
}

// readInvitation reads the invitation of the address from the record that the login
// uses up, if there is one.
func (c *candidate) readInvitation(record *authcore.Record) error {
	c.invitation = nil
	if record == nil {
		return nil
	}
	invitation, _, err := decodeInvitation(*record)
	if err != nil {
		return err
	}
	c.invitation = &invitation.NewUser
	return nil
}

// accept returns the new account of an invited address. The names of the invitation
// precede those that the provider reported.
func (c *candidate) accept(user authcore.User) decision {
	if c.invitation.FirstName != "" || c.invitation.LastName != "" {
		user.FirstName, user.LastName = c.invitation.FirstName, c.invitation.LastName
	}
	c.invitation.Grant(&user)
	return c.create(user)
}

// link adds the identity to the user who asked for it. One account at a provider
// cannot belong to two users, by whichever of its subjects they have it. A removed
// identity may be linked again, also by another user.
func (c *candidate) link(found lookup) (decision, error) {
	owner := found.other
	switch {
	case owner.User.ID == "" || owner.User.Disabled:
		return decision{}, authcore.Inactive()
	case found.imported.User.ID != "" && found.imported.User.ID != owner.User.ID && !c.isActive(owner):
		return decision{}, identityTaken()
	case found.known.User.ID != "" && found.known.User.ID != owner.User.ID && c.isActive(found.known):
		return decision{}, identityTaken()
	}
	if err := c.rules.CheckFactor(c.linkTo, owner.User); err != nil {
		return decision{}, err
	}
	return c.enter(owner)
}

// isActive reports whether the account logs in with the identity.
func (c *candidate) isActive(in authcore.Account) bool {
	identity := in.Identity(c.identity.Key())
	return identity != nil && identity.State == authcore.IdentityActive
}

// add makes the identity active in an account, and keeps what the provider reports
// now. It retires a former subject of this account: the next account that has it
// at the provider may belong to another person. No vouching is needed for that.
func (c *candidate) add(to authcore.Account) decision {
	identity := to.Identity(c.identity.Key())
	added := identity == nil || identity.State != authcore.IdentityActive
	if identity == nil {
		to.Identities = append(to.Identities, c.identity)
		identity = &to.Identities[len(to.Identities)-1]
	}
	identity.State, identity.Email, identity.EmailVerified = authcore.IdentityActive, c.identity.Email, c.identity.EmailVerified
	identity.Roles, identity.RolesAt = c.identity.Roles, c.identity.RolesAt
	publicID := identity.PublicID
	for _, subject := range []string{c.former, c.unprovenFormer} {
		if subject != "" {
			to.Retire(c.formerKey(subject))
		}
	}
	return decision{account: to, identity: publicID, added: added, by: c}
}

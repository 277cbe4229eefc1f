package authcore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxImportedLogins is how many logins an ImportedUser may have, against slips of
// the pen.
const MaxImportedLogins = 50

// ImportedUser is somebody whom another system knew.
type ImportedUser struct {
	// Email is "" or their address.
	Email string
	// EmailVerified says that the other system has made sure that they receive
	// mail there. The operator vouches for it.
	EmailVerified bool
	FirstName     string
	LastName      string
	Logins        []ImportedLogin
}

// ImportedLogin is an account at a provider, as the other system knew it.
type ImportedLogin struct {
	// Provider is the configured name.
	Provider string
	// UID and TransferSub are those of Importer.ImportNames.
	UID, TransferSub string
}

// ImportResult says what became of an ImportedUser.
type ImportResult struct {
	// UserID is that of the user found or made; "" when there is none, which
	// includes one that a dry run would make.
	UserID string
	// IsNew says that the user was not there before.
	IsNew bool
	// Stored and Present count the identities that were stored and those that
	// were there already.
	Stored, Present int
	// Refused says why, for each of the logins; "" for those that were taken.
	Refused []string
}

// ImportUser stores somebody whom another system knew, with identities under the
// names by which providers will show them, in one step. It is for operators: the
// caller vouches for every word.
//
// The user is the one who has one of the identities already, or else the verified
// address where LinkByEmail lets the two be joined, or else a new one. What is
// there already stays as it is, so that the same may be imported again; a login
// that cannot be taken is told in the result and keeps none of the others from
// being taken. With dry nothing is stored. Errors are those of the store, and
// then nothing is known of this user.
func (s *Service) ImportUser(ctx context.Context, given ImportedUser, dry bool) (ImportResult, error) {
	i := &importing{service: s, given: given, result: ImportResult{Refused: make([]string, len(given.Logins))}}
	if err := i.read(); err != nil {
		return ImportResult{}, err
	}
	for _, step := range []func(context.Context) error{i.findHolders, i.findUser} {
		if err := step(ctx); err != nil {
			return ImportResult{}, unavailable(err)
		}
	}
	records, err := i.records()
	if err != nil || len(records) == 0 {
		return i.result, err
	}
	if dry {
		return i.result, nil
	}
	_, err = s.store.Import(ctx, records)
	switch {
	case errors.Is(err, ErrTaken) || errors.Is(err, ErrNotFound):
		return i.changed(), nil
	case err != nil:
		return ImportResult{}, unavailable(err)
	}
	i.result.UserID = i.user.ID
	return i.result, nil
}

// importing is one call of ImportUser.
type importing struct {
	service *Service
	given   ImportedUser
	user    User
	// identities are those of the logins; holders who has them, "" for nobody.
	identities [][]Identity
	holders    map[Identity]string
	result     ImportResult
}

// read checks what was given, and finds the names of the logins.
func (i *importing) read() error {
	refuse := func(detail string) error {
		return &Error{Status: http.StatusBadRequest, Code: CodeInvalidRequest, Detail: detail}
	}
	if n := len(i.given.Logins); n == 0 || n > MaxImportedLogins {
		return refuse(fmt.Sprintf("A user needs between 1 and %d logins.", MaxImportedLogins))
	}
	i.user = User{FirstName: strings.TrimSpace(i.given.FirstName), LastName: strings.TrimSpace(i.given.LastName), Created: i.service.now()}
	for _, name := range []string{i.user.FirstName, i.user.LastName} {
		if utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) {
			return refuse("A name has more than 150 characters or is no UTF-8.")
		}
	}
	if i.given.Email != "" {
		address, err := ParseAddress(i.given.Email)
		if err != nil {
			return refuse("The e-mail address is not valid.")
		}
		i.user.Email, i.user.EmailVerified = address.String(), i.given.EmailVerified
	}
	i.identities, i.holders = make([][]Identity, len(i.given.Logins)), map[Identity]string{}
	for n, login := range i.given.Logins {
		var err error
		if i.identities[n], err = i.names(login); err != nil {
			i.result.Refused[n] = err.Error()
		}
	}
	return nil
}

// names returns the identities of a login.
func (i *importing) names(login ImportedLogin) ([]Identity, error) {
	provider := i.service.providers[login.Provider]
	if provider == nil {
		return nil, errors.New("provider: is not configured under this name")
	}
	importer, ok := provider.(Importer)
	if !ok {
		return nil, errors.New("provider: does not say what a uid of another system is here")
	}
	names, err := importer.ImportNames(login.UID, login.TransferSub)
	if err != nil {
		return nil, err
	}
	first := cmp.Or(names.Subject, names.FormerSubject)
	if err := (&Profile{Issuer: names.Issuer, Subject: first, FormerSubject: names.FormerSubject}).checkIdentity(); err != nil {
		return nil, errors.New("uid: is none that could be kept")
	}
	// Not with the address: it would tell apart what is the same.
	named := Identity{Provider: login.Provider, Issuer: names.Issuer}
	var identities []Identity
	if names.Subject != "" {
		subject := named
		subject.Subject = names.Subject
		identities = append(identities, subject)
	}
	if names.FormerSubject != "" {
		identities = append(identities, named.former(names.FormerSubject))
	}
	return identities, nil
}

// findHolders looks up who has the identities. Whoever has taken over a former
// subject has it for good.
func (i *importing) findHolders(ctx context.Context) error {
	for _, identities := range i.identities {
		for _, identity := range identities {
			user, err := i.service.store.UserByIdentity(ctx, identity)
			if errors.Is(err, ErrNotFound) && strings.HasPrefix(identity.Issuer, formerMark) {
				user, err = i.service.store.UserByIdentity(ctx, identity.moved())
			}
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			i.holders[identity] = user.ID
		}
	}
	return nil
}

// findUser finds the user, by identity first.
func (i *importing) findUser(ctx context.Context) error {
	for _, identities := range i.identities {
		for _, identity := range identities {
			if id := i.holders[identity]; id != "" && i.user.ID == "" {
				i.user.ID = id
			}
		}
	}
	address, err := ParseAddress(i.user.Email)
	if i.user.ID != "" || err != nil {
		return nil //nolint:nilerr // there is no address
	}
	user, err := i.service.store.UserByEmail(ctx, address.Key())
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case !i.user.EmailVerified:
		i.user.Email = "" // it is somebody else's
		return nil
	}
	i.user.ID = user.ID
	for n, login := range i.given.Logins {
		if i.service.rulesOf(login.Provider).LinkByEmail != LinkByEmailVerified {
			i.refuse(n, "the address belongs to an account here, and link_by_email is "+LinkByEmailNever)
		}
	}
	return nil
}

func (i *importing) refuse(n int, why string) {
	if i.result.Refused[n] == "" {
		i.result.Refused[n] = why
	}
}

// records is what is to be stored, and counts it.
func (i *importing) records() ([]Record, error) {
	i.result.UserID, i.result.IsNew = i.user.ID, i.user.ID == ""
	var missing []Identity
	for n, identities := range i.identities {
		for _, identity := range identities {
			if id := i.holders[identity]; id != "" && id != i.user.ID {
				i.refuse(n, "this login belongs to another account here")
			}
		}
		if i.result.Refused[n] != "" {
			continue
		}
		for _, identity := range identities {
			switch {
			case i.holders[identity] != "":
				i.result.Present++
			case !slices.Contains(missing, identity):
				missing = append(missing, identity)
			}
		}
	}
	if len(missing) == 0 {
		i.result.IsNew = false
		return nil, nil
	}
	var records []Record
	if i.result.IsNew {
		id, err := i.service.newID()
		if err != nil {
			return nil, unavailable(err)
		}
		i.user.ID = id
		records = append(records, Record{User: &i.user})
	}
	for _, identity := range missing {
		identity.UserID, identity.Email, identity.Created = i.user.ID, i.user.Email, i.user.Created
		records = append(records, Record{Identity: &identity})
	}
	i.result.Stored = len(missing)
	return records, nil
}

// changed is the result when somebody logged in, or was deleted, at this moment.
func (i *importing) changed() ImportResult {
	for n := range i.given.Logins {
		i.refuse(n, "something of it was changed at this moment; import it again")
	}
	return ImportResult{Refused: i.result.Refused}
}

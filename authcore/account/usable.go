package account

import (
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
)

// A login method is usable if the realm's rules would accept it now. Whether the
// mail or a provider is down does not count, nor does Signup, which applies to new
// accounts.

// mailUsable reports whether the user can log in by mail.
func (s *Service) mailUsable(user authcore.User) bool {
	return user.EmailKey() != "" && s.cfg.Rules.AdmitsUser(user, nil)
}

// identityUsable reports whether the user can log in with an identity. The
// identities of a server or tenant that the provider no longer accepts are not
// usable.
func (s *Service) identityUsable(user authcore.User, identity authcore.Identity) bool {
	if identity.State != authcore.IdentityActive || !s.offered(identity.Provider) {
		return false
	}
	recognizer, ok := s.cfg.Providers[identity.Provider].(authcore.Recognizer)
	if ok && !recognizer.Recognizes(identity.Issuer) {
		return false
	}
	return s.cfg.Rules.AdmitsUser(user, &identity)
}

// passkeyUsable reports whether the user can log in with a passkey.
func (s *Service) passkeyUsable(user authcore.User) bool {
	return s.cfg.Passkeys && len(user.Passkeys) > 0 && s.cfg.Rules.AdmitsUser(user, nil)
}

// loginUsable reports whether the user can log in.
func (s *Service) loginUsable(account authcore.Account) bool {
	return s.mailUsable(account.User) || s.passkeyUsable(account.User) ||
		slices.ContainsFunc(account.Identities, func(identity authcore.Identity) bool { return s.identityUsable(account.User, identity) })
}

// mayLose reports whether an account, given as it is without the identity, may
// lose it. A login method that is usable now has to be left. An identity of a
// provider that is not offered at present may go if anything else is left.
func (s *Service) mayLose(identity authcore.Identity, left authcore.Account) bool {
	if s.loginUsable(left) {
		return true
	}
	active := func(other authcore.Identity) bool { return other.State == authcore.IdentityActive }
	return !s.offered(identity.Provider) && (left.User.EmailKey() != "" || slices.ContainsFunc(left.Identities, active))
}

// otherIdentity returns the PublicID of a usable identity, or "" if the user can
// log in by mail.
func (s *Service) otherIdentity(account authcore.Account) string {
	if s.mailUsable(account.User) {
		return ""
	}
	for _, identity := range account.Identities {
		if s.identityUsable(account.User, identity) {
			return identity.PublicID
		}
	}
	return ""
}

// offered reports whether a provider is configured and a client can log users in
// with it: the client may use the provider, and has a redirect URI or needs none.
func (s *Service) offered(name string) bool {
	provider := s.cfg.Providers[name]
	_, takesIDTokens := provider.(authcore.IDTokenVerifier)
	return provider != nil && slices.ContainsFunc(s.cfg.Clients, func(client authcore.Client) bool {
		return client.AllowsProvider(name) && (takesIDTokens || len(client.RedirectURIs) > 0)
	})
}

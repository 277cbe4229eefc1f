package authcore

import "slices"

// A way in is what would surely let a user in now, by the rules of the realm.
// Signup is about those who have no account, so that it does not count; that a
// provider or the mail is down will pass, and does not either.

// letsInByMail reports whether the user's address is a way in. Every realm mails
// links, see New.
func (s *Service) letsInByMail(user User) bool {
	return user.EmailKey() != "" && s.cfg.Accounts.admits(claim{user.Email, true})
}

// letsInBy reports whether an identity of the user is a way in. Its address is
// taken for one that the provider does not vouch for: what it said once is not on
// record, and it may say something else at the next login. One that was imported
// under a former subject is none before its first login: the provider may not
// vouch for that any more. Nor is one of a server or tenant that the provider was
// configured with once.
func (s *Service) letsInBy(user User, identity Identity) bool {
	recognizer, ok := s.providers[identity.Provider].(Recognizer)
	if ok && !recognizer.Recognizes(identity.Issuer) {
		return false
	}
	return !isReserved(identity.Issuer) && s.offers(identity.Provider) &&
		s.cfg.Accounts.admits(claim{identity.Email, false}, claim{user.Email, user.EmailVerified})
}

// hasIdentityIn reports whether one of the identities is a way in.
func (s *Service) hasIdentityIn(user User, identities []Identity) bool {
	return slices.ContainsFunc(identities, func(identity Identity) bool { return s.letsInBy(user, identity) })
}

// offers reports whether a provider is configured and some client can log people
// in with it: one that it is offered to, and that has somewhere for a code to
// come back to, or needs no code.
func (s *Service) offers(name string) bool {
	provider := s.providers[name]
	_, takesIDTokens := provider.(IDTokenVerifier)
	return provider != nil && slices.ContainsFunc(s.cfg.Clients, func(client Client) bool {
		return client.allowsProvider(name) && (takesIDTokens || len(client.RedirectURIs) > 0)
	})
}

package passkey

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

const (
	// domainKind is the kind of the records of domains for which passkeys were
	// registered; domainOwner is the owner of all of them.
	domainKind  = "passkey-domain"
	domainOwner = "passkey-domains"
)

// CheckRPID returns the fault of a relying party ID: a domain in lower case, without
// scheme and port, or localhost (Web Authentication Level 3, section 4, "RP ID").
func CheckRPID(id string) error {
	if _, err := netip.ParseAddr(strings.Trim(id, "[]")); err == nil {
		return fmt.Errorf("%s is an IP address, for which browsers create no passkeys; use a domain name, for example localhost for development", id)
	}
	ascii, err := authcore.ParseDomain(id)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a domain name; write for example example.com, without scheme and port", id)
	case ascii != id:
		return fmt.Errorf("%q must be written %s, as browsers do", id, ascii)
	}
	return nil
}

// HostOf returns the host of a URL, which may be a template of links, or "".
func HostOf(address string) string {
	address, _, _ = strings.Cut(address, authcore.LinkPlaceholder)
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(parsed.Hostname())
}

// CheckDomain returns an error if users have passkeys for another domain: they would
// stop working, because a passkey belongs to one domain permanently.
func (s *Service) CheckDomain(ctx context.Context) error {
	domains, err := authcore.AllRecords(ctx, s.cfg.Store, authcore.RecordFilter{Kind: domainKind, Owner: domainOwner}, s.cfg.Now())
	if err != nil {
		return err
	}
	for _, domain := range domains {
		if domain.Key == s.cfg.RPID {
			continue
		}
		used, err := s.domainInUse(ctx, domain.Key)
		switch {
		case err != nil:
			return err
		case used:
			return fmt.Errorf("passkey_rp_id: users have passkeys for %s, which would stop working with %s; "+
				"write: passkey_rp_id %[1]s, or remove those passkeys first", domain.Key, s.cfg.RPID)
		}
		if err := s.cfg.Store.DeleteRecord(ctx, domain.RecordKey); err != nil {
			return err
		}
	}
	return nil
}

// domainInUse reports whether a passkey of the domain exists.
func (s *Service) domainInUse(ctx context.Context, domain string) (bool, error) {
	for cursor := ""; ; {
		records, next, err := s.cfg.Store.ListRecords(ctx, authcore.RecordFilter{Kind: Kind}, s.cfg.Now(), cursor)
		if err != nil {
			return false, err
		}
		for _, record := range records {
			if stored, err := decode(record); err != nil || stored.RPID != domain {
				continue
			}
			owner, err := s.cfg.Store.User(ctx, authcore.UserRef{ID: record.Owner})
			switch {
			case errors.Is(err, authcore.ErrNotFound): // deleted meanwhile
			case err != nil:
				return false, err
			case slices.Contains(owner.Passkeys, record.Key):
				return true, nil
			}
		}
		if next == "" {
			return false, nil
		}
		cursor = next
	}
}

// keepDomain records that passkeys exist for the domain, before the first one does.
func (s *Service) keepDomain(ctx context.Context) error {
	now := s.cfg.Now()
	record := authcore.Record{
		RecordKey: authcore.RecordKey{Kind: domainKind, Key: s.cfg.RPID}, Owner: domainOwner, Created: now,
	}
	err := s.cfg.Store.PutRecord(ctx, record, authcore.PutOptions{Now: now, IfAbsent: true})
	if errors.Is(err, authcore.ErrExists) {
		return nil
	}
	return err
}

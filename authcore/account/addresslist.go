package account

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxEmailText limits the length of an address that is compared with a list, in
// bytes. The conversion of an international domain takes quadratic time.
const maxEmailText = 1024

// addressList holds keys of addresses, which contain "@", and domains.
type addressList map[string]bool

func parseAllow(entries []string) (addressList, error) {
	return parseList("allow", entries, authcore.Address.Key, func(domain string) string { return domain })
}

// parseDeny returns the deny list. At Gmail an entry denies the mailbox; at other
// providers "+tag" may be a part of the name, so that it is kept.
func parseDeny(entries []string) (addressList, error) {
	address := func(a authcore.Address) string {
		if mailboxDomain(a.Domain()) == gmail {
			return a.MailboxKey()
		}
		return a.Key()
	}
	return parseList("deny", entries, address, mailboxDomain)
}

func parseList(option string, entries []string, addressKey func(authcore.Address) string, domainKey func(string) string) (addressList, error) {
	list := make(addressList, len(entries))
	var faults []error
	for _, entry := range entries {
		if strings.Contains(entry, "*") { // valid in an address, but meant as a pattern
			faults = append(faults, fmt.Errorf("%s: %q contains a wildcard; write a domain without it to list all its addresses", option, entry))
		} else if address, err := authcore.ParseAddress(entry); err == nil {
			list[addressKey(address)] = true
		} else if domain, err := authcore.ParseDomain(entry); err == nil {
			list[domainKey(domain)] = true
		} else {
			faults = append(faults, fmt.Errorf("%s: %q is not an e-mail address or a domain; write ann@example.com or example.com", option, entry))
		}
	}
	return list, errors.Join(faults...)
}

// allows reports whether a valid address or its domain is on the list.
func (l addressList) allows(text string) bool {
	address, err := authcore.ParseAddress(text)
	return err == nil && (l[address.Key()] || l[address.Domain()])
}

// denies reports whether an address, its mailbox, its domain or a parent of its
// domain is on the list. The address need not be valid: a provider may have
// verified one with a quoted or international local part (RFC 5321, section
// 4.1.2; RFC 6531), and it must not escape the list. An address whose domain
// cannot be read is denied.
func (l addressList) denies(text string) bool {
	if len(l) == 0 || text == "" {
		return false
	}
	if address, err := authcore.ParseAddress(text); err == nil {
		return l[address.Key()] || l.deniesMailbox(address.MailboxKey())
	}
	if len(text) > maxEmailText {
		return true
	}
	parts := strings.Split(strings.Map(foldAt, text), "@")
	for i := range len(parts) - 1 {
		domain, err := authcore.ParseDomain(cutDomain(parts[i+1]))
		if err != nil {
			if i == len(parts)-2 {
				return true
			}
			continue // part of a quoted local part
		}
		local := unquote(strings.Join(parts[:i+1], "@"))
		if l[strings.ToLower(local)+"@"+domain] || l.deniesMailbox(authcore.MailboxKey(local, domain)) {
			return true
		}
	}
	return false
}

// deniesMailbox looks up the key of a mailbox, its domain and all parents of the
// domain.
func (l addressList) deniesMailbox(key string) bool {
	if l[key] {
		return true
	}
	domain := key[strings.LastIndexByte(key, '@')+1:]
	for domain != "" {
		if l[mailboxDomain(domain)] {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}

const gmail = "gmail.com"

// mailboxDomain returns the domain by which mailboxes of a domain are known.
func mailboxDomain(domain string) string {
	_, domain, _ = strings.Cut(authcore.MailboxKey("", domain), "@")
	return domain
}

// foldAt drops invisible characters and replaces compatibility forms of "@".
func foldAt(r rune) rune {
	switch {
	case r == '＠' || r == '﹫':
		return '@'
	case invisible(r) || unicode.IsControl(r):
		return -1
	}
	return r
}

// cutDomain removes what follows a domain in a mailbox with a display name or a
// comment (RFC 5322, section 3.4), and a final dot.
func cutDomain(text string) string {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`<>()[],;:"`, r) }); i > 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, ".")
}

// unquote removes a display name, comments and quotes from a local part.
func unquote(text string) string {
	text = text[strings.LastIndexByte(text, '<')+1:]
	for {
		open := strings.IndexByte(text, '(')
		length := strings.IndexByte(text[open+1:], ')')
		if open < 0 || length < 0 {
			break
		}
		text = text[:open] + text[open+1+length+1:]
	}
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = strings.ReplaceAll(text[1:len(text)-1], `\`, "")
	}
	return text
}

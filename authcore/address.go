package authcore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Lengths of an address (RFC 5321, sections 4.5.3.1.1 to 4.5.3.1.3).
const (
	maxLocalLength   = 64
	maxAddressLength = 254

	// maxAddressText bounds what is looked at: converting an international
	// domain takes time that grows with the square of its length.
	maxAddressText = 1024
)

// ErrInvalidAddress reports a text that is not an e-mail address. The others wrap it
// and report an address of a kind that is not supported.
var (
	ErrInvalidAddress = errors.New("not an e-mail address")
	// ErrQuotedAddress reports a quoted local part (RFC 5321, section 4.1.2).
	ErrQuotedAddress = fmt.Errorf("%w: the part before the @ is quoted", ErrInvalidAddress)
	// ErrInternationalAddress reports a local part that is not ASCII (RFC 6531).
	ErrInternationalAddress = fmt.Errorf("%w: the part before the @ is not ASCII", ErrInvalidAddress)
)

// Address is a parsed e-mail address. It is the only form in which addresses
// travel through the system, so that there is one parser and one notion of
// being the same.
type Address struct {
	local, domain string
}

// ParseAddress takes an addr-spec whose local part is a dot-atom of ASCII (RFC
// 5322, section 3.4.1) and whose domain is a host name, which may be
// international (RFC 5890). Quoted local parts, address literals, comments,
// display names and control characters are refused: users do not type them, and
// mail software disagrees about them. Surrounding blanks are ignored. Japanese mobile
// carriers have addresses with dots in other places; see [Address.Mailbox].
func ParseAddress(text string) (Address, error) {
	if len(text) > maxAddressText {
		return Address{}, ErrInvalidAddress
	}
	text = strings.Trim(text, " ")
	local, domain, found := strings.Cut(text, "@")
	if quoted := strings.LastIndexByte(text, '@'); strings.HasPrefix(text, `"`) && quoted > 0 {
		local, domain = text[:quoted], text[quoted+1:]
	}
	if !found || len(local) > maxLocalLength {
		return Address{}, ErrInvalidAddress
	}
	domain, err := ParseDomain(domain)
	if err != nil || len(local)+1+len(domain) > maxAddressLength {
		return Address{}, ErrInvalidAddress
	}
	if err := checkLocal(local, domain); err != nil {
		return Address{}, err
	}
	return Address{local: local, domain: domain}, nil
}

// checkLocal checks the part before the "@".
func checkLocal(local, domain string) error {
	switch {
	case isDotAtom(local), slices.Contains(freeDotDomains(), domain) && isDotAtom(strings.ReplaceAll(local, ".", "")):
		return nil
	case len(local) > 2 && local[0] == '"' && local[len(local)-1] == '"':
		return ErrQuotedAddress
	case utf8.ValidString(local) && isDotAtom(strings.Map(toASCII, local)):
		return ErrInternationalAddress
	default:
		return ErrInvalidAddress
	}
}

// toASCII replaces characters outside of ASCII that can be part of a name.
func toASCII(r rune) rune {
	if r >= utf8.RuneSelf && unicode.IsPrint(r) {
		return 'x'
	}
	return r
}

// freeDotDomains lists the domains of carriers that gave out addresses with a dot at
// the end, or several in a row, which is not a dot-atom.
func freeDotDomains() []string { return []string{"docomo.ne.jp", "ezweb.ne.jp", "au.com"} }

// Mailbox returns the address in the form of SMTP and of header fields: the local part
// is quoted unless it is a dot-atom (RFC 5321, section 4.1.2).
func (a Address) Mailbox() string {
	if isDotAtom(a.local) {
		return a.String()
	}
	return `"` + a.local + `"@` + a.domain
}

// String returns the address to send mail to: the local part as it was typed,
// the domain lower-cased and in its ASCII form.
func (a Address) String() string { return a.local + "@" + a.domain }

// Key returns the form that is equal for all spellings of one address. RFC 5321
// allows servers to distinguish upper and lower case in the local part. Servers in use
// do not, and two keys would allow one person to have two accounts.
func (a Address) Key() string { return strings.ToLower(a.local) + "@" + a.domain }

// MailboxKey returns a key for the mailbox behind the address. It is the Key
// without a "+tag". At Gmail, dots in the local part do not count and
// googlemail.com is gmail.com. Limits and deny lists use it, so that other
// spellings of one mailbox do not avoid them; it does not identify users.
func (a Address) MailboxKey() string {
	return MailboxKey(a.local, a.domain)
}

// MailboxKey returns the key of [Address.MailboxKey] for the parts of an address
// that need not be valid. The domain is in its ASCII form.
func MailboxKey(local, domain string) string {
	local, domain = strings.ToLower(local), strings.ToLower(domain)
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if domain == "googlemail.com" || domain == "gmail.com" {
		local, domain = strings.ReplaceAll(local, ".", ""), "gmail.com"
	}
	return local + "@" + domain
}

// AddressPrefix returns the beginning of an address in the form of [Address.Key]: lower
// case, and an international domain in its ASCII form if it is complete.
func AddressPrefix(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if address, err := ParseAddress(text); err == nil {
		return address.Key()
	}
	return text
}

// Domain returns the part after the "@", lower-cased and in its ASCII form.
func (a Address) Domain() string { return a.domain }

func isDotAtom(text string) bool {
	const special = "!#$%&'*+-/=?^_`{|}~."
	if text == "" || text[0] == '.' || text[len(text)-1] == '.' || strings.Contains(text, "..") {
		return false
	}
	for i := range len(text) {
		c := text[i]
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alphanumeric && strings.IndexByte(special, c) < 0 {
			return false
		}
	}
	return true
}

// ParseDomain returns the ASCII form, in lower case, of a host name of at least two
// labels. The name may be international.
func ParseDomain(domain string) (string, error) {
	profile := idna.New(
		idna.MapForLookup(),
		idna.BidiRule(),
		idna.StrictDomainName(true),
		idna.VerifyDNSLength(true),
	)
	if !utf8.ValidString(domain) {
		return "", ErrInvalidAddress
	}
	ascii, err := profile.ToASCII(domain)
	if err != nil {
		return "", err
	}
	// The stored form is parsed again and must have the same meaning then.
	if again, err := profile.ToASCII(ascii); err != nil || again != ascii {
		return "", ErrInvalidAddress
	}
	labels := strings.Split(ascii, ".")
	top := labels[len(labels)-1]
	if len(labels) < 2 && ascii != "localhost" || strings.Trim(top, "0123456789") == "" {
		return "", ErrInvalidAddress // a bare label or an IPv4 address
	}
	return ascii, nil
}

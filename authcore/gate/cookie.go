package gate

import (
	"iter"
	"strings"
)

// cookies yields the values of the cookies with a name, in the order of the request (RFC
// 6265, section 5.4), without the quotes that section 4.1.1 allows. The login page reads
// them in the same way: otherwise it and the site would redirect to each other.
func cookies(fields []string, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, field := range fields {
			for field != "" {
				var pair string
				pair, field, _ = strings.Cut(field, ";")
				key, value, found := strings.Cut(strings.Trim(pair, " \t"), "=")
				if found && strings.Trim(key, " \t") == name && !yield(unquote(value)) {
					return
				}
			}
		}
	}
}

func unquote(value string) string {
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// isOwnCookie reports whether a cookie is one of this package, with or without the
// prefix and whatever the case: some servers compare names without it.
func isOwnCookie(name string) bool {
	if len(name) >= len(hostPrefix) && equalFold(name[:len(hostPrefix)], hostPrefix) {
		name = name[len(hostPrefix):]
	}
	return equalFold(name, CookieSession) || equalFold(name, CookieLogin) || equalFold(name, CookieRenewed) ||
		equalFold(name, CookieDevice)
}

// stripCookies removes the cookies of this package from the header of a request. All
// others stay as they are, byte for byte.
func stripCookies(header Header) {
	fields := header["Cookie"]
	for i := range fields {
		if hasOwnCookie(fields[i]) {
			header.replaceCookies(fields)
			return
		}
	}
}

func (h Header) replaceCookies(fields []string) {
	var kept []string // most requests have no other cookies or one field
	for _, field := range fields {
		if rest := withoutOwn(field); rest != "" {
			kept = append(kept, rest)
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = kept
}

func hasOwnCookie(field string) bool {
	for field != "" {
		var pair string
		pair, field, _ = strings.Cut(field, ";")
		if isOwnCookie(cookieName(pair)) {
			return true
		}
	}
	return false
}

// cookieName returns the name of a cookie. Servers disagree about blanks around it.
func cookieName(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return strings.Trim(name, blanks)
}

// withoutOwn returns a Cookie field without the cookies of this package. It allocates only
// if one of them is between others.
func withoutOwn(field string) string {
	var kept string
	var b strings.Builder
	for begin, keptEnd := 0, 0; begin <= len(field); {
		pair, _, _ := strings.Cut(field[begin:], ";")
		end := begin + len(pair)
		switch {
		case isOwnCookie(cookieName(pair)):
		case kept == "":
			kept, keptEnd = strings.TrimLeft(pair, " \t"), end
		case b.Len() == 0 && keptEnd+1 == begin:
			kept, keptEnd = field[keptEnd-len(kept):end], end
		default:
			if b.Len() == 0 {
				b.Grow(len(field))
				b.WriteString(kept)
			}
			b.WriteByte(';')
			b.WriteString(pair)
		}
		begin = end + 1
	}
	if b.Len() > 0 {
		return b.String()
	}
	return kept
}

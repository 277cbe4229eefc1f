package caddymodule

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/edgeauth/edgeauth/authcore"
	core "github.com/edgeauth/edgeauth/authcore/realm"
)

// returnMark is in the query of every page to which a provider returns with a state of
// ours, whatever the encoding of the dot after it.
const returnMark = "state=ea"

// linkPage is the page of a mailed link: below a path, or with a query.
type linkPage struct {
	path string
	// inQuery says that the secret is in the query and not in the path.
	inQuery bool
}

// linkPages returns the pages of all link templates. A secret in a fragment is
// never sent to a server.
func linkPages(config core.Config) []linkPage {
	templates := []string{config.EmailLink}
	for i := range config.Clients {
		templates = append(templates, config.Clients[i].EmailLink)
	}
	var pages []linkPage
	for _, template := range templates {
		before, _, _ := strings.Cut(template, authcore.LinkPlaceholder)
		u, err := url.Parse(before)
		if template == "" || err != nil || strings.Contains(before, "#") {
			continue
		}
		page := linkPage{path: normalPath(u.Path), inQuery: strings.Contains(before, "?")}
		if !page.inQuery && strings.HasSuffix(u.Path, "/") && page.path != "/" {
			page.path += "/"
		}
		pages = append(pages, page)
	}
	return pages
}

// normalPath is a path in the form in which link pages are compared: servers
// behind this one read paths in their own ways. A path that has it already, as
// almost all have, costs nothing.
func normalPath(text string) string {
	if isNormal(text) {
		return text
	}
	if !strings.HasPrefix(text, "/") {
		text = "/" + text
	}
	return strings.ToLower(path.Clean(text))
}

// isNormal reports whether a path is surely in that form, in one pass.
func isNormal(text string) bool {
	last := byte(0)
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' || last == '/' && (c == '/' || c == '.') {
			return false
		}
		last = c
	}
	return strings.HasPrefix(text, "/") && (last != '/' || text == "/")
}

// leadsHere reports whether an address, whose path is normal, may hold the secret
// of a mailed link.
func (p linkPage) leadsHere(normal string, u *url.URL) bool {
	if p.inQuery {
		return normal == p.path && u.RawQuery != ""
	}
	rest, below := strings.CutPrefix(normal, p.path)
	if p.path == "/" { // every path is below it
		return isLinkSecret(rest)
	}
	return below && rest != ""
}

// isLinkSecret reports whether a text has the form of a mailed token: 48 bytes in
// base64url.
func isLinkSecret(text string) bool {
	return len(text) == 64 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// showsLink reports whether the log of a request would show the secret of a
// mailed link, or the code of a social login: in its own address, in written, the one that
// the client wrote and the log has, or in that of the page which it comes from.
func (r *Realm) showsLink(request *http.Request, written *url.URL) bool {
	if r.isLinkPage(request.URL) {
		return true
	}
	if written != nil && isOther(written, request.URL) && r.isLinkPage(written) {
		return true
	}
	for _, referer := range request.Header["Referer"] {
		if u, ok := parseReferer(referer); ok && r.isLinkPage(&u) {
			return true
		}
	}
	return false
}

// originalURL returns the address that the client wrote, or nil.
func originalURL(request *http.Request) *url.URL {
	original, _ := request.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	return original.URL
}

// isOther reports whether two addresses differ in what isLinkPage looks at.
func isOther(a, b *url.URL) bool { return a.Path != b.Path || a.RawQuery != b.RawQuery }

// parseReferer returns path and query of an address. Almost all addresses are
// plain, and then a look for the delimiters is enough (RFC 3986, section 3).
func parseReferer(text string) (u url.URL, ok bool) {
	scheme, rest, absolute := strings.Cut(text, "://")
	if !absolute || scheme != "https" && scheme != "http" || strings.Contains(rest, "%") {
		parsed, err := url.Parse(text)
		if err != nil {
			return url.URL{}, false
		}
		return *parsed, true
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, u.RawQuery, _ = strings.Cut(rest, "?")
	if path := strings.IndexByte(rest, '/'); path >= 0 {
		u.Path = rest[path:]
	}
	return u, true
}

// isLinkPage includes the pages to which social providers return: with code and state
// a reader of the log could log in before the page does.
func (r *Realm) isLinkPage(u *url.URL) bool {
	if strings.Contains(u.RawQuery, returnMark) {
		return true
	}
	normal := normalPath(u.Path)
	for _, page := range r.linkPages {
		if page.leadsHere(normal, u) {
			return true
		}
	}
	return false
}

// conceal keeps a request out of the access log.
func skipLog(request *http.Request) {
	caddyhttp.SetVar(request.Context(), caddyhttp.LogSkipVar, true)
}

// serveLinkPage serves a request that showsLink. The secret was perhaps not used
// yet: neither the access log nor the log of errors, which both hold the
// address, get to see it (CWE-532). So an error ends here, as a bare status.
func (r *Realm) serveLinkPage(w http.ResponseWriter, request *http.Request, serve func() error) error {
	skipLog(request)
	hideAddress(request)
	w.Header().Set("Referrer-Policy", "no-referrer")
	addresses := addressesOf(request) // before a handler rewrites them
	err := serve()
	if err == nil {
		return nil
	}
	status := http.StatusInternalServerError
	var failure caddyhttp.HandlerError
	if errors.As(err, &failure) && failure.StatusCode != 0 {
		status, err = failure.StatusCode, failure.Err
	}
	if err != nil { // one about a file names its path, which is often that of the request
		err = withoutAddresses(err, addresses)
	}
	r.logger.Error("the page of a mailed link could not be served; its address is not logged", "status", status, "error", err)
	w.WriteHeader(status)
	return nil
}

const (
	// minSecret is the shortest part of an address that may be a secret, in bytes.
	minSecret = 8
	// maxAddress is the longest address whose parts are looked for, in bytes. What
	// leads to a page is shorter; a longer one would take its time (CWE-400).
	maxAddress = 4 << 10
)

// addressesOf returns the address of a request, and the one that the client wrote.
func addressesOf(request *http.Request) []url.URL {
	addresses := []url.URL{*request.URL}
	if original := originalURL(request); original != nil {
		addresses = append(addresses, *original)
	}
	return addresses
}

// withoutAddresses is an error without the parts of addresses that may be secrets,
// as they are written and as they are meant.
func withoutAddresses(err error, addresses []url.URL) error {
	var parts []string
	for i := range addresses {
		u := &addresses[i]
		if len(u.Path)+len(u.RawQuery) > maxAddress {
			return errors.New("not logged, as the address is very long")
		}
		meant, _ := url.QueryUnescape(u.RawQuery)
		for _, text := range []string{u.Path, u.RawPath, u.RawQuery, meant} {
			parts = append(parts, strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("/?&=", c) })...)
		}
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return len(part) < minSecret })
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) }) // one may be within another
	return redacted{err, parts}
}

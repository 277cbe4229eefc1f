package pages

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/captcha"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/language"
)

//go:embed templates/*.html templates/parts/*.html assets/style.css assets/passkey.js assets/print.js
var embedded embed.FS

// view contains the values for the templates.
type view struct {
	// Text contains the texts of the language, with the title filled in.
	Text Texts
	// Lang and Dir are the attributes of the page.
	Lang, Dir string
	// Title is the name of the site; Logo the address of an image or "".
	Title string
	Logo  string
	// Prefix is the path of the pages, Style the address of the style sheet.
	Prefix, Style string
	// Page is the name of the page.
	Page string
	// Error and Notice are messages at the top, or "".
	Error, Notice string

	// ReturnTo is the path to which the browser continues.
	ReturnTo  string
	Providers []provider
	// Claims are those of the signed-in user, or nil.
	Claims *gate.Claims
	// SignedInAt is the time of the login, if it is too old for a page.
	SignedInAt string
	// MailLogin is set if the user can sign in again by mail.
	MailLogin bool
	// Email is the address of the sign-in.
	Email string
	// DebugLink is the link in development.
	DebugLink string
	// SameBrowser is set if the browser requested the link. Code is for the other one.
	SameBrowser bool
	Code        string
	// Requested, Browser and Network describe the request for a link.
	Requested, Browser, Network string

	// Captcha is set on pages whose forms need one.
	Captcha *captcha.Widget

	// Factor is set on the pages that ask for a second factor or add one.
	Factor factorView
	// Needs are the hidden values of the form that confirms the user.
	Needs []field
	// Codes are new recovery codes, CodesFile is a data URL with them.
	Codes     []string
	CodesFile template.URL

	// Passkey is set on pages that use passkeys, and Script is the address of the script
	// for them.
	Passkey *passkeyView
	Script  string
	// Account is set on the account page.
	Account *accountView
	// KeysPage is the address of the page with API keys, or "". Keys is set on that page.
	KeysPage string
	Keys     *keysView
	// NeedsCurrent is set if a change of address needs a code of the current one.
	NeedsCurrent bool

	// formTargets are the origins to which forms lead.
	formTargets []string
}

// newView returns a view in the language of a request.
func (h *Handler) newView(r *http.Request) view {
	preferred := h.Locale
	if preferred == "" {
		preferred = strings.Join(r.Header.Values("Accept-Language"), ",")
	}
	lang := language.Choose(language.Tags(), preferred)
	v := view{
		Text: textsOf(lang).fill(h.Title, language.Direction(lang)), Lang: htmlLang(lang), Dir: language.Direction(lang),
		Title: h.Title, Logo: h.assetPath(h.logo),
		Prefix: h.Prefix, Style: h.assetPath(h.style), ReturnTo: h.ReturnTo,
	}
	if h.showsKeys() {
		v.KeysPage = h.Prefix + keysPath
	}
	return v
}

// htmlLang returns the tag in its usual letter case.
func htmlLang(tag string) string {
	switch tag {
	case "pt-br":
		return "pt-BR"
	case "zh-hans":
		return "zh-Hans"
	default:
		return tag
	}
}

// templates are the pages by name.
type templates map[string]*template.Template

// parseTemplates reads the templates. Each file but layout.html is a page. The files in
// parts define blocks of pages.
func parseTemplates(own fs.FS) (templates, error) {
	names, err := fs.Glob(embedded, "templates/*.html")
	if err != nil {
		return nil, err
	}
	parts, err := fs.Glob(embedded, "templates/parts/*.html")
	if err != nil {
		return nil, err
	}
	read := func(name string) (string, error) {
		if own != nil {
			text, err := fs.ReadFile(own, path.Base(name))
			if !errors.Is(err, fs.ErrNotExist) {
				return string(text), err
			}
		}
		text, err := fs.ReadFile(embedded, name)
		return string(text), err
	}
	if err := checkNames(own, slices.Concat(names, parts)); err != nil {
		return nil, err
	}
	const layoutFile = "templates/layout.html"
	var layout strings.Builder
	for _, name := range append(parts, layoutFile) {
		text, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("pages: templates: %w", err)
		}
		layout.WriteString(text)
	}
	parsed := templates{}
	for _, name := range names {
		if name == layoutFile {
			continue
		}
		text, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("pages: templates: %w", err)
		}
		page, err := template.New("layout.html").Parse(layout.String())
		if err == nil {
			_, err = page.New(path.Base(name)).Parse(text)
		}
		if err != nil {
			return nil, fmt.Errorf("pages: templates: %w", err)
		}
		if err := try(page); err != nil {
			return nil, fmt.Errorf("pages: templates: %w", err)
		}
		parsed[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return parsed, nil
}

// checkNames refuses files of the operator that replace nothing: their names are most
// likely misspelt.
func checkNames(own fs.FS, names []string) error {
	if own == nil {
		return nil
	}
	files, err := fs.ReadDir(own, ".")
	if err != nil {
		return fmt.Errorf("pages: templates: %w", err)
	}
	var known []string
	for _, name := range names {
		known = append(known, path.Base(name))
	}
	for _, file := range files {
		if name := file.Name(); !strings.HasPrefix(name, ".") && !slices.Contains(known, name) {
			return fmt.Errorf("pages: templates: %s: there is no template of this name; use one of %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// try renders a page with all values and with few, because a fault may be in a branch.
func try(page *template.Template) error {
	full := view{
		Text: textsOf(language.Default), Error: "error", Notice: "notice", Providers: []provider{{"github", "GitHub"}},
		Claims: &gate.Claims{Email: "user@example.org"}, SignedInAt: "time", MailLogin: true, Email: "user@example.org", DebugLink: "https://example.org/",
		Code: "123456", Requested: "time", Browser: "browser", Network: "network", Logo: "logo",
		KeysPage: "page", Keys: &keysView{
			Rows: []keyRow{{}, {LastUsed: "time", Roles: []string{"role", "role"}}}, Create: true, Roles: []string{"role"},
			Lifetimes: []keyLifetime{{Selected: true}, {}},
		},
		NeedsCurrent: true, Account: &accountView{
			User: authcore.User{Email: "user@example.org", EmailVerified: true}, Sessions: []sessionView{{Current: true}, {Browser: "b", Network: "n"}},
			Logins: []loginView{{}}, Addable: []provider{{}}, Passkeys: []passkeyRow{{}, {LastUsed: "time"}}, PasskeyAfter: "page",
			Factors: &factorsView{App: true, Created: "time", LastUsed: "time", Devices: []deviceView{{}, {Browser: "b"}}},
		},
		Factor: factorView{Code: true, Recovery: true, Remember: true, Passkey: true, Add: true, Enrol: true}, Needs: []field{{"acr", "2"}},
		Codes: []string{"code"}, CodesFile: "data:,", Passkey: &passkeyView{Options: "{}", Unknown: "id"}, Script: "script",
		Captcha: &captcha.Widget{Class: "class", SiteKey: "key", Script: "https://captcha.example/", Action: "action"},
	}
	for _, v := range []*view{{Text: textsOf(language.Default)}, &full} {
		if err := page.Execute(new(bytes.Buffer), v); err != nil {
			return err
		}
	}
	return nil
}

// show renders a page.
func (h *Handler) show(r *request, status int, name string) error {
	r.view.Page = name
	var body bytes.Buffer
	if err := h.templates[name].Execute(&body, &r.view); err != nil {
		return authcore.Unavailable(fmt.Errorf("pages: template %s: %w", name, err))
	}
	header := r.w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", r.view.Lang)
	header.Set("Content-Security-Policy", policy(append(r.view.formTargets, h.siteOrigins()...), r.view.Script != "", r.view.Captcha))
	r.w.WriteHeader(status)
	_, _ = r.w.Write(body.Bytes()) // a client that is gone needs no answer
	return nil
}

// policy returns the Content-Security-Policy of a page. The script for passkeys asks this
// site for new options. The captcha, if there is one, consists of a script and a frame.
func policy(formTargets []string, withScript bool, widget *captcha.Widget) string {
	style, script, connect, frame := "'self'", "'self'", "", ""
	if withScript {
		connect = " 'self'"
	}
	if widget != nil {
		sources := " " + strings.Join(widget.Sources(), " ")
		style, script, connect, frame = style+sources, script+sources, connect+sources, sources
	}
	text := "default-src 'none'; style-src " + style + "; script-src " + script + "; img-src 'self' data:; form-action " +
		strings.Join(append([]string{"'self'"}, formTargets...), " ")
	if connect != "" {
		text += "; connect-src" + connect
	}
	if frame != "" {
		text += "; frame-src" + frame
	}
	return text + "; base-uri 'none'; frame-ancestors 'none'"
}

// setCommonHeaders sets the headers of every answer. The Referrer-Policy keeps the
// secret of a link in the address from other sites, and the Origin in forms: with
// no-referrer a browser sends "Origin: null".
func setCommonHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "strict-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Add("Vary", "Accept-Language, Cookie")
}

// redirect continues to an address, which the caller has checked.
func (h *Handler) redirect(r *request, address string) {
	r.w.Header().Set("Location", address)
	r.w.WriteHeader(http.StatusSeeOther)
}

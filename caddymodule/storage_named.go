package caddymodule

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// namedStorage is a storage that was named on the command line.
type namedStorage struct {
	Storage
	// name of the module
	name string
	raw  json.RawMessage
}

// loadNamedStorage parses a storage as in the Caddyfile after "storage", or
// "name:argument". A URL whose scheme is the name of a storage is complete by itself.
// It opens nothing.
func loadNamedStorage(ctx caddy.Context, flag, text string) (namedStorage, error) {
	tokens, err := storageTokens(flag, text)
	if err != nil {
		return namedStorage{}, err
	}
	dispenser := caddyfile.NewDispenser(tokens)
	dispenser.Next()
	realm := new(Realm)
	if err := parseModule(newBlock(dispenser), "edgeauth.storage", &realm.StorageRaw); err != nil {
		return namedStorage{}, err
	}
	if dispenser.Next() {
		return namedStorage{}, dispenser.Errf("%s: expected one storage", flag)
	}
	named := namedStorage{name: tokens[1].Text, raw: slices.Clone(realm.StorageRaw)}
	if err := realm.loadStorage(ctx); err != nil {
		return namedStorage{}, err
	}
	named.Storage = realm.storage
	return named, nil
}

// storageTokens turns a text into the tokens that a Caddyfile would have, with
// the flag in the place of "storage".
func storageTokens(flag, text string) ([]caddyfile.Token, error) {
	tokens := []caddyfile.Token{{File: flag, Line: 1, Text: flag}}
	name, argument, colon := strings.Cut(text, ":")
	if _, err := caddy.GetModule("edgeauth.storage." + name); colon && err == nil {
		if strings.HasPrefix(argument, "//") {
			argument = text
		}
		return append(tokens,
			caddyfile.Token{File: flag, Line: 1, Text: name}, caddyfile.Token{File: flag, Line: 1, Text: argument}), nil
	}
	more, err := caddyfile.Tokenize([]byte(text), flag)
	return append(tokens, more...), err
}

// secretWord finds values in lists such as "host=db password=x" or "?token=x".
var secretWord = regexp.MustCompile(`(?i)(?:pass|secret|token)\w*\s*[= ]\s*('[^']*'|[^\s&}]+)`)

// secretsIn returns what may be secret in the name of a storage: the text as a
// whole when it has a password in it, and that password in every form.
func secretsIn(text string) []string {
	text = caddy.NewReplacer().ReplaceKnown(text, "")
	var secrets []string
	for _, match := range secretWord.FindAllStringSubmatch(text, -1) {
		secrets = append(secrets, match[1], strings.Trim(match[1], "'"))
	}
	if at := strings.LastIndex(text, "@"); at >= 0 {
		before := text[:at]
		if _, user, isURL := strings.Cut(before, "://"); isURL {
			_, password, _ := strings.Cut(user, ":")
			secrets = append(secrets, password)
		} else if colon := strings.LastIndex(before, ":"); colon >= 0 {
			secrets = append(secrets, before[colon+1:])
		}
	}
	for _, secret := range slices.Clone(secrets) {
		if plain, err := url.PathUnescape(secret); err == nil {
			secrets = append(secrets, plain, url.QueryEscape(plain))
		}
	}
	return slices.DeleteFunc(secrets, func(secret string) bool { return secret == "" })
}

// redacted is an error without certain words (CWE-209). What it wraps stays
// reachable for errors.Is, and is not printed.
type redacted struct {
	error
	secrets []string
}

func (r redacted) Error() string {
	text := r.error.Error()
	for _, secret := range r.secrets {
		text = strings.ReplaceAll(text, secret, "REDACTED")
	}
	return text
}

func (r redacted) Unwrap() error { return r.error }

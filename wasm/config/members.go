package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// headers reads the identity headers into the site.
func (c *Config) headers(value any) error {
	names, err := texts(value)
	if err != nil {
		return err
	}
	chosen, managed, err := gate.ChosenHeaders(names)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "headers: "))
	}
	c.Site.Headers = append([]string{}, chosen...) // "off" is not nil, which means the default
	c.Site.Managed = managed
	return nil
}

func publicPaths(value any) (gate.PublicPaths, error) {
	paths, err := texts(value)
	if err != nil {
		return nil, err
	}
	if err := gate.PublicPaths(paths).Validate(); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "public: "))
	}
	return paths, nil
}

func cacheSize(value any) (int, error) {
	size, err := whole(value)
	switch {
	case err != nil:
		return 0, err
	case size < 0 || size > maxCacheSize:
		return 0, fmt.Errorf("must be from 0 to %d", maxCacheSize)
	case size == 0:
		return -1, nil
	}
	return int(size), nil
}

// requirements reads a list of objects. Policy.Validate checks them.
func requirements(value any) ([]gate.Requirement, error) {
	elements, err := list(value)
	if err != nil {
		return nil, err
	}
	result := make([]gate.Requirement, 0, len(elements))
	for i, element := range elements {
		requirement, err := requirement(element)
		if err != nil {
			return nil, fmt.Errorf("requirement %d: %w", i+1, err)
		}
		result = append(result, requirement)
	}
	return result, nil
}

func requirement(value any) (r gate.Requirement, err error) {
	object, ok := value.(map[string]any)
	if !ok {
		return r, errors.New("must be an object with field and values")
	}
	for name, value := range object {
		switch name {
		case "field":
			r.Field, err = text(value)
		case "values":
			r.Values, err = texts(value)
		default:
			err = errors.New("unknown name")
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", name, err)
		}
	}
	return r, nil
}

// origins reads origins in the form in which browsers send them (RFC 6454, section
// 6.2), because they are compared byte by byte.
func origins(value any) (map[string]bool, error) {
	list, err := texts(value)
	if err != nil {
		return nil, err
	}
	result := make(map[string]bool, len(list))
	for _, origin := range list {
		if !isOrigin(origin) {
			return nil, fmt.Errorf("%q is not an origin such as https://frontend.app, in lower case and without a path", origin)
		}
		result[origin] = true
	}
	return result, nil
}

func isOrigin(text string) bool {
	scheme, host, found := strings.Cut(text, "://")
	if !found || scheme != "https" && scheme != "http" || host == "" {
		return false
	}
	return strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]_") == ""
}

// keySet reads a key set. It refuses every other document, and one with a private
// key. It also accepts the list of keys alone: Traefik's file provider reduces an
// object to it if the only member has the object's name.
func keySet(value any) (*gate.KeySet, error) {
	if document, ok := value.(string); ok {
		return ParseKeys([]byte(document))
	}
	if object, ok := value.(map[string]any); ok && object["keys"] != nil {
		// A file may have other members (RFC 7517, section 5). In a configuration
		// they are mistakes.
		for name := range object {
			if name != "keys" {
				return nil, errors.New("has a member next to keys; only a JSON Web Key Set of public keys belongs here")
			}
		}
		value = object["keys"]
	}
	keys, err := list(value)
	if err != nil {
		return nil, errors.New("must be a JSON Web Key Set")
	}
	data, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		return nil, errors.New("must be a JSON Web Key Set")
	}
	return ParseKeys(data)
}

// ParseKeys reads a key set from a file or a configuration.
func ParseKeys(data []byte) (*gate.KeySet, error) {
	if strings.Contains(string(data), "PRIVATE KEY-----") {
		return nil, errors.New("contains a private key; only a JSON Web Key Set of public keys belongs here")
	}
	set, err := gate.ParseJWKS(data)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "gate: "))
	}
	return set, nil
}

// keyUse reads whether API keys are accepted.
// YAML reads "on" and "off" as booleans.
func keyUse(value any) (gate.KeyUse, error) {
	if enabled, err := boolean(value); err == nil {
		return map[bool]gate.KeyUse{true: gate.KeysOn}[enabled], nil
	}
	word, err := text(value)
	if err != nil {
		return gate.KeysOff, err
	}
	use, err := gate.ParseKeyUse(word)
	if err != nil {
		return gate.KeysOff, errors.New(strings.TrimPrefix(err.Error(), "keys: "))
	}
	return use, nil
}

// schemes reads the authentication schemes of login tokens.
func schemes(value any) (gate.Schemes, error) {
	names, err := texts(value)
	if err != nil {
		return 0, err
	}
	set, err := gate.ParseSchemes(names)
	if err != nil {
		return 0, errors.New(strings.TrimPrefix(err.Error(), "schemes: "))
	}
	return set, nil
}

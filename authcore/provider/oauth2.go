package provider

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/edgeauth/edgeauth/authcore"
)

// Values of Config.ClientAuth.
const (
	clientAuthBasic = "basic"
	clientAuthPost  = "post"
)

// maxPathDepth limits the length of a path in Config.Fields.
const maxPathDepth = 8

// FieldNames lists the valid keys of Config.Fields.
func FieldNames() []string {
	return []string{"subject", "email", "email_verified", "first_name", "last_name", "name", "nickname", "avatar"}
}

// generalOAuth2 describes any OAuth 2.0 provider with a JSON user info endpoint.
// The endpoints and the paths of the fields are configured. The client
// authenticates with a Basic header by default, because every server must support
// that (RFC 6749, section 2.3.1).
func generalOAuth2() spec {
	return spec{
		kind:      "oauth2",
		authStyle: oauth2.AuthStyleInHeader,
		pkce:      true,
		options:   []string{"authorize_url!", "token_url!", "user_info_url!", "field!", "client_auth"},
		profile:   fieldsProfile,

		administered: true,
	}
}

func fieldsProfile(ctx context.Context, g *grant) (authcore.Profile, error) {
	user, err := g.fetchUser(ctx, nil, nil)
	if err != nil {
		return authcore.Profile{}, err
	}
	return readFields(user, g.provider.cfg.Fields)
}

func readFields(user object, paths map[string]string) (authcore.Profile, error) {
	// The values become members of an object, whose methods check their types.
	fields := object{}
	for name, path := range paths {
		if raw, found := user.at(path); found {
			fields[name] = raw
		}
	}
	id, ok := fields.idText("subject")
	if !ok {
		return authcore.Profile{}, failed("user info: the field for subject is not a string or positive integer")
	}
	if _, ok := fields.text("email"); !ok {
		return authcore.Profile{}, failed("user info: the field for email is not a string")
	}
	profile := userFields{
		email: "email", first: "first_name", last: "last_name", full: "name", nickname: "nickname", avatar: "avatar",
	}.profile(fields, id)
	profile.EmailVerified = fields.truth("email_verified")
	return profile, nil
}

// pathNames returns the member names of a path: separated by dots, one name if it is
// a URL such as https://example.com/uid, or a JSON Pointer (RFC 6901), which permits
// any names. The form alone decides, never the response: at some providers users
// choose names of members.
func pathNames(path string) []string {
	switch {
	case strings.HasPrefix(path, "/"):
		names := strings.Split(path[1:], "/")
		for i, name := range names {
			names[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		}
		return names
	case strings.Contains(path, "://"):
		return []string{path}
	default:
		return strings.Split(path, ".")
	}
}

// validPath reports whether a text is a path.
func validPath(path string) bool {
	names := pathNames(path)
	return len(names) <= maxPathDepth && !slices.Contains(names, "")
}

// at returns the value at a path. A name may be the index of a list.
func (o object) at(path string) (json.RawMessage, bool) {
	return o.member(pathNames(path))
}

func (o object) member(names []string) (json.RawMessage, bool) {
	raw, found := o[names[0]]
	if !found || len(names) == 1 {
		return raw, found
	}
	names = names[1:]
	if inner, isObject := parseObject(raw); isObject {
		return inner.member(names)
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	// A list is treated as an object with the member names 0, 1, 2 and so on.
	i, err := strconv.Atoi(names[0])
	if err != nil || i < 0 || i >= len(list) {
		return nil, false
	}
	return object{names[0]: list[i]}.member(names)
}

package gatecase

import (
	"encoding/base64"
	"strings"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// KeySession is the session of the API keys in the table.
const KeySession = "5d1c3b8a-70e4-4f6b-8b19-c8a2f5d3e404"

// keyClaims are the claims of a valid API key.
func keyClaims() claims {
	return goodClaims().with(claims{
		"sid": KeySession, "auth_time": nil, "client_id": nil, "method": gate.MethodKey, "amr": []string{gate.MethodKey},
	})
}

// apiKey makes an API key.
func (m *maker) apiKey(key string, c claims) string {
	header := strings.Replace(m.header(key), string(gate.PurposeLogin), string(gate.PurposeKey), 1)
	return gate.KeyPrefix + m.sign(key, header, c.json())
}

// basic returns the credentials of HTTP Basic (RFC 7617).
func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func (m *maker) apiKeys() {
	key := m.apiKey("ed25519", keyClaims())
	for name, token := range map[string]string{
		"key":                   key,
		"key_es256":             m.apiKey("p256", keyClaims()),
		"key_unprefixed":        strings.TrimPrefix(key, gate.KeyPrefix),
		"key_upper_case":        strings.Replace(key, gate.KeyPrefix, "EAK_", 1),
		"key_twice":             gate.KeyPrefix + key,
		"key_expired":           m.apiKey("ed25519", keyClaims().with(claims{"exp": issued.Unix() + 86400})),
		"key_of_another_issuer": m.apiKey("ed25519", keyClaims().with(claims{"iss": Issuer + ":other"})),
		"key_of_other_audience": m.apiKey("ed25519", keyClaims().with(claims{"aud": "https://other.example.com"})),
		"key_by_link":           m.apiKey("ed25519", keyClaims().with(claims{"method": "link"})),
		"key_forged":            gate.KeyPrefix + m.forgedKey(),
		"login_with_prefix":     gate.KeyPrefix + m.made["good"],
		"login_of_method_key":   m.login("ed25519", keyClaims()),
		"basic_key":             basic("ada", key),
		"basic_key_no_user":     basic("", key),
		"basic_key_long_user":   basic(strings.Repeat("a", 1500), key),
		"basic_key_colon":       basic("ada:lovelace", key),
		"basic_key_line_break":  basic("ada\r\nX-Auth-User-Id root", key),
		"basic_key_broken":      basic("ada", key[:20]+"\r\n"+key[20:]),
		"basic_key_as_user":     basic(key, "x-oauth-basic"),
		"basic_login":           basic("ada", m.made["good"]),
		"basic_password":        basic("ada", "correct horse"),
	} {
		m.made[name] = token
	}
}

func (m *maker) forgedKey() string {
	header := strings.Replace(m.header("ed25519"), string(gate.PurposeLogin), string(gate.PurposeKey), 1)
	return m.sign("other_ed25519", header, keyClaims().json())
}

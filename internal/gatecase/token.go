package gatecase

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// Claims of the tokens in the table.
const (
	Issuer   = "https://auth.example.com"
	Audience = "https://app.example.com"

	User    = "0b0e8f5e-6c0a-4d0e-9d55-1f4a5a1d9c01"
	TokenID = "3f1d2c4b-5a69-4788-97a6-b5c4d3e2f102"
	Session = "9c8b7a69-5847-4635-a241-302f1e0d0c03"
)

// The times of the table: tokens are issued before the time that the gate's clock
// shows, and expire after it.
//
//nolint:gochecknoglobals // constants of a type that has none
var (
	issued  = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	clock   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	expires = time.Date(2105, 1, 1, 0, 0, 0, 0, time.UTC)
)

// claims are the claims of a token.
type claims map[string]any

func goodClaims() claims {
	return claims{
		"iss": Issuer, "aud": Audience, "sub": User, "jti": TokenID, "sid": Session,
		"iat": issued.Unix(), "exp": expires.Unix(), "auth_time": issued.Unix(),
		"client_id": "web", "method": "link", "email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace",
	}
}

// with returns the claims with others added or replaced; nil removes one.
func (c claims) with(others claims) claims {
	c = maps.Clone(c)
	maps.Copy(c, others)
	maps.DeleteFunc(c, func(_ string, value any) bool { return value == nil })
	return c
}

func (c claims) json() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // claims can always be marshalled
	}
	return string(text)
}

// maker makes tokens.
type maker struct {
	tb   testing.TB
	keys map[string]*Key
	made map[string]string
}

// MakeTokens returns the tokens of the table by name. They are always the same.
func MakeTokens(tb testing.TB) map[string]string {
	tb.Helper()
	m := &maker{tb: tb, keys: Keys(tb), made: map[string]string{}}
	m.good()
	m.algorithms()
	m.headers()
	m.encodings()
	m.payloads()
	m.claims()
	m.feeds()
	m.apiKeys()
	return m.made
}

// header returns the header that the gate expects of a key.
func (m *maker) header(key string) string {
	k := m.keys[key].Key
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt"}`, k.Algorithm, k.ID)
}

// sign signs two segments with a key, whatever algorithm the header names.
func (m *maker) sign(key, header, payload string) string {
	input := encode(header) + "." + encode(payload)
	return input + "." + encode(sign(m.tb, m.keys[key].Private, input))
}

// login makes a token with the expected header.
func (m *maker) login(key string, c claims) string { return m.sign(key, m.header(key), c.json()) }

func (m *maker) good() {
	good := goodClaims()
	for name, key := range map[string]string{"good": "ed25519", "good_es256": "p256", "good_rs256": "rsa"} {
		m.made[name] = m.login(key, good)
	}
	for name, others := range map[string]claims{
		"minimal":          {"auth_time": nil, "client_id": nil, "method": nil, "email": nil, "email_verified": nil, "name": nil},
		"unverified_email": {"email_verified": false},
		"upper_case_email": {"email": "Ada@Example.COM"},
		"email_two_ats":    {"email": `"a@evil.example"@example.com`},
		"international":    {"name": "Ægir Þórsson – 東京 100%"},
		"header_splitting": {"name": "a\r\nX-Auth-User-Id: root", "email": "a\nb@example.com"},
		"blank_name":       {"name": " "},
		"one_factor":       {"amr": []string{"mail"}, "acr": "1"},
		"two_factors":      {"amr": []string{"mail", "totp"}, "acr": "2"},
		"by_google":        {"method": "google-oauth2", "client_id": "ios"},
		"long":             {"name": strings.Repeat("x", 2400)},
		"editor":           {"roles": []string{"editor"}},
		"two_roles":        {"roles": []string{"admin", "editor"}},
		"no_roles":         {"roles": []string{}},
		"name_is_role":     {"name": "admin", "client_id": "admin", "role": "admin", "groups": []string{"admin"}},
		"other_claims":     {"SUB": "mallory", "x": map[string]any{"sub": "mallory"}, "nbf": issued.Unix()},
	} {
		m.made[name] = m.login("ed25519", good.with(others))
	}
}

func (m *maker) algorithms() {
	good, ed := goodClaims().json(), m.keys["ed25519"].Key
	none := func(alg string) string {
		return encode(fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"login+jwt"}`, alg, ed.ID)) + "." + encode(good) + "."
	}
	m.made["alg_none"], m.made["alg_none_mixed_case"], m.made["alg_empty"] = none("none"), none("nOnE"), none("")
	m.made["alg_none_two_segments"] = strings.TrimSuffix(none("none"), ".")
	m.made["signature_removed"] = encode(m.header("ed25519")) + "." + encode(good) + "."
	m.hmacs(good)
	m.made["es256_header_by_ed25519"] = m.sign("ed25519", m.header("p256"), good)
	m.made["eddsa_header_by_p256"] = m.sign("p256", m.header("ed25519"), good)
	m.made["es256_with_id_of_ed25519"] = m.sign("p256", fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"login+jwt"}`, ed.ID), good)
	m.made["rs512_header"] = m.sign("rsa", strings.Replace(m.header("rsa"), "RS256", "RS512", 1), good)
	m.made["ps256_header"] = m.sign("rsa", strings.Replace(m.header("rsa"), "RS256", "PS256", 1), good)
	for _, key := range []string{"ed25519", "p256", "rsa"} {
		m.made["forged_"+key] = m.sign("other_"+key, m.header(key), good)
	}
	m.made["unknown_key"] = m.login("other_ed25519", goodClaims())
}

// hmacs use the published forms of a key as a secret.
func (m *maker) hmacs(good string) {
	key := m.keys["rsa"].Key
	der, err := x509.MarshalPKIXPublicKey(key.Public)
	if err != nil {
		m.tb.Fatalf("x509.MarshalPKIXPublicKey = %v", err)
	}
	for name, secret := range map[string][]byte{
		"der": der, "pem": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "kid": []byte(key.ID), "empty": {},
	} {
		for form, header := range map[string]string{
			"hs256_header": strings.Replace(m.header("rsa"), "RS256", "HS256", 1), "rs256_header": m.header("rsa"),
		} {
			input := encode(header) + "." + encode(good)
			m.made["public_key_as_secret_"+name+"_"+form] = input + "." + encode(sign(m.tb, secret, input))
		}
	}
}

// headers makes tokens with unexpected headers and valid signatures.
func (m *maker) headers() {
	kid, right := m.keys["ed25519"].Key.ID, m.header("ed25519")
	plus := func(member string) string { return strings.TrimSuffix(right, "}") + "," + member + "}" }
	for name, header := range map[string]string{
		"header_empty":          `{}`,
		"header_no_kid":         `{"alg":"EdDSA","typ":"login+jwt"}`,
		"header_no_typ":         fmt.Sprintf(`{"alg":"EdDSA","kid":%q}`, kid),
		"header_typ_jwt":        strings.Replace(right, "login+jwt", "JWT", 1),
		"header_typ_upper_case": strings.Replace(right, "login+jwt", "LOGIN+JWT", 1),
		"header_kid_path":       strings.Replace(right, kid, "../../../../dev/null", 1),
		"header_kid_url":        strings.Replace(right, kid, "https://evil.example/key", 1),
		"header_kid_sql":        strings.Replace(right, kid, "' OR 1=1 --", 1),
		"header_kid_nul":        strings.Replace(right, kid, kid+`\u0000`, 1),
		"header_kid_list":       strings.Replace(right, `"`+kid+`"`, `["`+kid+`"]`, 1),
		"header_jwk":            plus(`"jwk":{"kty":"OKP","crv":"Ed25519","x":"` + encode([]byte(kid)[:32]) + `"}`),
		"header_jku":            plus(`"jku":"https://evil.example/jwks.json"`),
		"header_x5u":            plus(`"x5u":"https://evil.example/x5u.pem"`),
		"header_x5c":            plus(`"x5c":["AA"]`),
		"header_crit":           plus(`"crit":["exp"]`),
		"header_b64":            plus(`"b64":false,"crit":["b64"]`),
		"header_zip":            plus(`"zip":"DEF"`),
		"header_duplicate_alg":  `{"alg":"none",` + right[1:],
		"header_duplicate_kid":  plus(`"kid":"x"`),
		"header_upper_case_alg": strings.Replace(right, `"alg"`, `"ALG"`, 1),
		"header_other_order":    fmt.Sprintf(`{"kid":%q,"alg":"EdDSA","typ":"login+jwt"}`, kid),
		"header_escaped":        strings.Replace(right, "+", `\u002b`, 1),
		"header_trailing_blank": right + " ",
		"header_not_json":       `{"alg":` + strings.Repeat("[", 500),
		"purpose_assertion":     strings.Replace(right, "login+jwt", "assertion+jwt", 1),
		"purpose_revocations":   strings.Replace(right, "login+jwt", string(gate.PurposeRevocations), 1),
		"purpose_access":        strings.Replace(right, "login+jwt", "at+jwt", 1),
		"purpose_link":          strings.Replace(right, "login+jwt", "link+jwt", 1),
	} {
		m.made[name] = m.sign("ed25519", header, goodClaims().json())
	}
}

func (m *maker) encodings() {
	payload := goodClaims().json()
	for name := "Ada"; len(payload)%3 != 1; name += "a" { // so that the last character has unused bits
		payload = goodClaims().with(claims{"name": name}).json()
	}
	token := m.sign("ed25519", m.header("ed25519"), payload)
	header, body, signature := cut(token)
	again := func(body string) string {
		input := header + "." + body
		return input + "." + encode(sign(m.tb, m.keys["ed25519"].Private, input))
	}
	for name, text := range map[string]string{
		"padded_header":        header + "=." + body + "." + signature,
		"padded_payload":       again(body + "=="),
		"padded_signature":     token + "==",
		"stray_bits_payload":   again(stray(body)),
		"stray_bits_signature": header + "." + body + "." + stray(signature),
		"standard_alphabet":    again(strings.NewReplacer("-", "+", "_", "/").Replace(encode("\xfb\xff" + payload))),
		"trailing_dot":         token + ".",
		"four_segments":        token + "." + signature,
		"five_segments":        header + "." + body + "..." + signature,
		"one_segment":          header,
		"dots":                 "..",
		"no_payload":           again(""),
		"short_signature":      token[:len(token)-1],
		"long_signature":       token + "A",
		"changed_signature":    header + "." + body + "." + flip(signature),
		"changed_payload":      header + "." + encode(strings.Replace(payload, User, "root", 1)) + "." + signature,
		"not_base64":           header + ".{}." + signature,
		"noise":                strings.Repeat("x", 5000),
		"dots_4096":            strings.Repeat(".", 4096),
		"over_long":            m.login("ed25519", goodClaims().with(claims{"name": strings.Repeat("x", 4096)})),
	} {
		m.made[name] = text
	}
}

func cut(token string) (header, body, signature string) {
	parts := strings.Split(token, ".")
	return parts[0], parts[1], parts[2]
}

// stray changes unused bits of the last character.
func stray(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	end := len(text) - 1
	return text[:end] + string(alphabet[strings.IndexByte(alphabet, text[end])+1])
}

func flip(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

// payloads makes tokens with malformed payloads and valid signatures.
func (m *maker) payloads() {
	good := goodClaims().json()
	plus := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
	for name, payload := range map[string]string{
		"payload_null":            `null`,
		"payload_list":            `[` + good + `]`,
		"payload_trailing":        good + "x",
		"payload_trailing_blank":  good + " ",
		"payload_twice":           good + good,
		"payload_byte_order_mark": "\ufeff" + good,
		"payload_duplicate_sub":   plus(`"sub":"mallory"`),
		"payload_escaped_sub":     plus(`"\u0073ub":"mallory"`),
		"payload_duplicate_exp":   plus(`"exp":9999999999`),
		"payload_not_utf8":        plus("\"x\":\"\xff\""),
		"payload_control":         plus("\"x\":\"\x01\""),
		"payload_deep":            plus(`"x":` + strings.Repeat("[", 500)),
		"payload_truncated":       good[:len(good)-1],
	} {
		m.made[name] = m.sign("ed25519", m.header("ed25519"), payload)
	}
}

func (m *maker) claims() {
	for name, others := range map[string]claims{
		"no_iss": {"iss": nil}, "no_aud": {"aud": nil}, "no_sub": {"sub": nil}, "no_jti": {"jti": nil}, "no_sid": {"sid": nil},
		"no_iat": {"iat": nil}, "no_exp": {"exp": nil},
		"empty_sub":          {"sub": ""},
		"other_issuer":       {"iss": Issuer + "/"},
		"upper_case_issuer":  {"iss": strings.ToUpper(Issuer)},
		"other_audience":     {"aud": "https://other.example.com"},
		"list_of_audiences":  {"aud": []string{Audience, "https://other.example.com"}},
		"sub_number":         {"sub": 1},
		"exp_text":           {"exp": fmt.Sprint(expires.Unix())},
		"exp_float":          {"exp": json.Number("4260211200.5")},
		"exp_exponent":       {"exp": json.Number("4.2e9")},
		"exp_huge":           {"exp": json.Number("9223372036854775808")},
		"exp_negative":       {"exp": -1},
		"expired":            {"exp": issued.Unix() + 86400},
		"exp_before_iat":     {"exp": issued.Unix() - 1},
		"issued_in_future":   {"iat": expires.Unix() - 86400},
		"not_before":         {"nbf": expires.Unix() - 86400},
		"login_in_future":    {"auth_time": expires.Unix() - 86400},
		"verified_text":      {"email_verified": "true"},
		"amr_text":           {"amr": "totp"},
		"amr_number":         {"amr": []int{1}},
		"amr_nested":         {"amr": []any{[]string{"totp"}}},
		"ends_at_the_clock":  {"exp": clock.Unix()},
		"issued_within_skew": {"iat": clock.Unix() + 60},
		"issued_beyond_skew": {"iat": clock.Unix() + 61},
		"roles_text":         {"roles": "admin"},
		"roles_joined":       {"roles": []string{"editor,admin"}},
		"roles_number":       {"roles": []any{1, "admin"}},
		"roles_nested":       {"roles": []any{[]string{"admin"}}},
		"roles_object":       {"roles": map[string]any{"admin": true}},
		"roles_twice":        {"roles": []string{"admin", "admin"}},
		"roles_upper_case":   {"roles": []string{"Admin"}},
		"roles_line_end":     {"roles": []string{"admin\nx"}},
		"roles_too_many":     {"roles": strings.Split("r"+strings.Join(numbers(33), ",r"), ",")},
		"roles_other_realm":  {"iss": Issuer + ":other", "roles": []string{"admin"}},
		"login_an_hour_ago":  {"auth_time": clock.Unix() - 3600},
	} {
		m.made[name] = m.login("ed25519", goodClaims().with(others))
	}
}

// numbers returns the texts of n numbers of two digits, in ascending order.
func numbers(n int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%02d", i))
	}
	return texts
}

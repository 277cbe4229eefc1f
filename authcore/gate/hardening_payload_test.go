package gate

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Anything but the one encoding of a token is refused, also around a good
// signature: padding, the other alphabet, line ends that decoders skip, bits
// that decoders drop (RFC 4648, section 3.5), more or fewer segments.
func TestEncodings(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	s := testSigners()[EdDSA] // 64 bytes of signature: four bits are left over
	// A payload whose last character has bits left over as well.
	payload := goodPayload(t)
	for len(payload)%3 != 1 {
		payload = strings.Replace(payload, "Ada", "Adaa", 1)
	}
	token := s.signText(s.header(PurposeLogin), payload)
	header, body, signature := segments(token)
	if _, err := v.Verify(token, testNow); err != nil {
		t.Fatalf("v.Verify = %v", err)
	}
	stray := func(text string) string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		end := len(text) - 1
		return text[:end] + alphabet[strings.IndexByte(alphabet, text[end])+1:][:1]
	}
	standard := func(text string) string { return strings.NewReplacer("-", "+", "_", "/").Replace(text) }
	signed := func(body string) string { return signAs(EdDSA, s.private, header+"."+body) }
	tests := []struct {
		name, token string
		want        error
	}{
		{"padded header", header + "=." + body + "." + signature, ErrUnknownKey},
		{"padded payload", signed(body + "=="), ErrMalformed},
		{"padded signature", token + "==", ErrMalformed},
		{"stray bits in the payload", signed(stray(body)), ErrMalformed},
		{"stray bits in the signature", header + "." + body + "." + stray(signature), ErrMalformed},
		{"line feed in the payload", signed(body[:8] + "\n" + body[8:]), ErrMalformed},
		{"CRLF after the payload", signed(body + "\r\n"), ErrMalformed},
		{"line feed in the signature", header + "." + body + "." + signature[:8] + "\n" + signature[8:], ErrMalformed},
		{"line feed for a character of the signature", header + "." + body + "." + signature[:85] + "\n", ErrMalformed},
		{"line feed after the token", token + "\n", ErrMalformed},
		{"blank before the token", " " + token, ErrUnknownKey},
		{"NUL after the token", token + "\x00", ErrMalformed},
		{"standard alphabet in the payload", signed(standard(b64("\xfb\xff" + goodPayload(t)))), ErrMalformed},
		{"no dot before the signature", header + "." + body + "-" + signature, ErrMalformed},
		{"four segments", token + "." + signature, ErrMalformed},
		{"five segments", header + "." + body + "..." + signature, ErrMalformed},
		{"one segment", header, ErrMalformed},
		{"no segments", "", ErrMalformed},
		{"dots", "..", ErrUnknownKey},
		{"no payload", signed(""), ErrMalformed},
		{"short signature", token[:len(token)-1], ErrMalformed},
		{"no signature", header + "." + body + ".", ErrMalformed},
		{"JSON serialization", `{"protected":"` + header + `","payload":"` + body + `","signature":"` + signature + `"}`, ErrMalformed},
		{"changed signature", header + "." + body + "." + flip(signature), ErrSignature},
		{"changed payload", header + "." + strings.Replace(body, "J", "K", 1) + "." + signature, ErrInvalidToken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { refused(t, v, test.token, test.want) })
	}
}

// flip changes the first character of a text.
func flip(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

// Two readers of one payload see different claims (RFC 8725, section 2.6), or the
// payload is not that of a token. All of them have a valid signature.
func TestPayloads(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	s := testSigners()[HS256]
	good := goodPayload(t)
	with := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
	for _, payload := range []string{
		``, ` `, `null`, `true`, `1`, `"x"`, `[]`, `[` + good + `]`, `{`, `}`, `{"iss"`, `{"iss":`, `{"iss":}`, `{,}`, `{"a":1,}`,
		good + good, good + ` `, good + "\n", good + "\x00", good + `x`, "\ufeff" + good, good[:len(good)-1],
		with(`"sub":"mallory"`), with(`"sub":"` + testUser + `"`), with(`"\u0073ub":"mallory"`), with(`"exp":9999999999`),
		with(`"x":1,"x":1`), with(`"x":{"y":1,"y":1}`), with(`"":1,"":2`),
		with(`"nbf":"1"`), with(`"x":01`), with(`"x":1.`), with(`"x":+1`), with(`"x":.5`), with(`"x":NaN`), with(`"x":`), with(`"x":tru`),
		with(`"x":'y'`), with(`x:1`), with(`"x" 1`), with("\"x\":\"\x01\""), with("\"x\":\"\xff\""), with("\"\xff\":1"), with("\"x\":\"\\u00e9\xff\""),
		with(`"x":"\x"`), with(`"x":"\u12"`), with(`"x":"\`), with(`"x":"`),
		with(`"x":` + strings.Repeat("[", 9) + strings.Repeat("]", 9)),
		with(`"x":` + strings.Repeat("[", 900)), with(`"x":` + strings.Repeat(`{"y":`, 400)),
		with(`"x":` + strings.Repeat(`{"y":`, 9) + "1" + strings.Repeat("}", 9)),
		strings.Replace(good, `"iat":`, `"iat":0`, 1), strings.Replace(good, `"iat":`, `"iat":-`, 1), strings.Replace(good, `"iat":`, `"iat":+`, 1),
		with(`"x":[1,]`), with(`"x":[,1]`), with(`"x":[1 2]`),
		with(strings.TrimSuffix(members(40), ",")),
	} {
		refused(t, v, s.signText(s.header(PurposeLogin), payload), ErrMalformed)
	}
	for _, payload := range []string{
		with(`"SUB":"mallory","Exp":1`), // other names, not these in another case
		with(`"x":{"sub":"mallory"},"y":[{"exp":1},-1.5E+9,null,"\\\"",[]]`),
		with(strings.TrimSuffix(members(15), ",")),
	} {
		claims, err := v.Verify(s.signText(s.header(PurposeLogin), payload), testNow)
		if err != nil || !reflect.DeepEqual(*claims, testClaims()) {
			t.Errorf("Verify(%s) = %v, %v, want the claims", payload, claims, err)
		}
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"x%d":%d,`, i, i)
	}
	return b.String()
}

// Claims are left out, or are of another type (CWE-1287), with a good signature.
func TestMissingAndMistypedClaims(t *testing.T) {
	v := newTestVerifier(t, testConfig())
	s := testSigners()[HS256]
	token := func(change func(map[string]any)) string {
		claims := map[string]any{}
		if err := json.Unmarshal([]byte(goodPayload(t)), &claims); err != nil {
			t.Fatalf("json.Unmarshal = %v", err)
		}
		for name, value := range claims {
			if number, ok := value.(float64); ok {
				claims[name] = int64(number)
			}
		}
		change(claims)
		payload, err := json.Marshal(claims)
		if err != nil {
			t.Fatalf("json.Marshal = %v", err)
		}
		return s.signText(s.header(PurposeLogin), string(payload))
	}
	for _, name := range []string{"iss", "aud", "sub", "jti", "sid", "iat", "exp"} {
		refused(t, v, token(func(c map[string]any) { delete(c, name) }), ErrClaims)
		refused(t, v, token(func(c map[string]any) { c[name] = nil }), ErrMalformed)
		refused(t, v, token(func(c map[string]any) { c[name] = true }), ErrMalformed)
		refused(t, v, token(func(c map[string]any) { c[name] = []any{c[name]} }), ErrMalformed)
		refused(t, v, token(func(c map[string]any) { c[name] = map[string]any{"x": c[name]} }), ErrMalformed)
	}
	for _, name := range []string{"iss", "aud", "sub", "jti", "sid"} {
		refused(t, v, token(func(c map[string]any) { c[name] = "" }), ErrClaims)
		refused(t, v, token(func(c map[string]any) { c[name] = 1 }), ErrMalformed)
	}
	for _, name := range []string{"iat", "exp", "auth_time", "nbf"} {
		for _, value := range []any{"1800000100", -1, 1800000100.5, 1e30, json.Number("1e9"), json.Number("1.8e9"), json.Number("9223372036854775808")} {
			refused(t, v, token(func(c map[string]any) { c[name] = value }), ErrMalformed)
		}
	}
	refused(t, v, token(func(c map[string]any) { c["nbf"] = testNow.Unix() + 61 }), ErrClaims)
	refused(t, v, token(func(c map[string]any) { c["email_verified"] = "true" }), ErrMalformed)
	refused(t, v, token(func(c map[string]any) { c["email_verified"] = 1 }), ErrMalformed)
	for _, other := range []string{testIssuer + "/", strings.ToUpper(testIssuer), testIssuer + ".evil.example", "x"} {
		refused(t, v, token(func(c map[string]any) { c["iss"] = other }), ErrClaims)
		refused(t, v, token(func(c map[string]any) { c["aud"] = other }), ErrClaims)
	}
	if _, err := v.Verify(token(func(c map[string]any) { c["nbf"] = testNow.Unix() }), testNow); err != nil {
		t.Errorf("v.Verify = %v", err)
	}
}

// TestDecodeAgreesWithTheStandardLibrary on what it takes.
func TestDecodeAgreesWithTheStandardLibrary(t *testing.T) {
	for _, text := range []string{"", "A", "AA", "AB", "AAA", "AAB", "AAAA", "AAAAA", "AA==", "A\nA", "-_-_", "+/+/", "AA\r\n"} {
		data, ok := decode(text)
		if ok && base64.RawURLEncoding.EncodeToString(data) != text {
			t.Errorf("decode(%q) = %x, which has another encoding", text, data)
		}
	}
}

package gate

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// FuzzVerify never panics, and takes nothing but the one good token and what the
// key itself signs.
func FuzzVerify(f *testing.F) {
	v := newTestVerifier(f, testConfig())
	s := testSigners()[HS256]
	good := s.sign(testClaims())
	header, payload, signature := segments(good)
	for _, seed := range []string{good, header + "." + payload + ".", header, "", "..", header + ".." + signature, good + "\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := v.Verify(token, testNow); err == nil && token != good {
			t.Errorf("Verify(%q) succeeded", token)
		}
		// The same as a payload, properly signed, against encoding/json.
		signed := s.signText(s.header(PurposeLogin), token)
		claims, err := v.Verify(signed, testNow)
		if err != nil {
			return
		}
		if want := byEncodingJSON(t, token); !reflect.DeepEqual(*claims, want) {
			t.Errorf("%q: got %+v, want %+v", token, claims, want)
		}
	})
}

// byEncodingJSON reads the claims of a payload with exactly their names.
func byEncodingJSON(t *testing.T, payload string) (claims Claims) {
	t.Helper()
	var all map[string]json.RawMessage
	exact := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(payload), &all); err != nil {
		t.Fatalf("parsePayload(%q) succeeded, but Unmarshal = %v", payload, err)
	}
	for _, name := range strings.Fields("sub jti sid iat exp auth_time client_id method amr acr email email_verified name") {
		if value, present := all[name]; present {
			exact[name] = value
		}
	}
	data, err := json.Marshal(exact)
	if err != nil {
		t.Fatalf("json.Marshal = %v", err)
	}
	if err := json.Unmarshal(data, &claims); err != nil {
		t.Fatalf("parsePayload(%q) succeeded, but Unmarshal = %v", payload, err)
	}
	return claims
}

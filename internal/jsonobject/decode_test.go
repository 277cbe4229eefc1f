package jsonobject_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/jsonobject"
)

// body is an object with all kinds of members.
type body struct {
	Email string            `json:"email"`
	Keys  int               `json:"keys"`
	Roles []string          `json:"roles"`
	Inner *body             `json:"inner"`
	Many  []body            `json:"many"`
	Names map[string]string `json:"names"`
}

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		text     string
		repeated string // the name of a *RepeatedError
		valid    bool
	}{
		{`{}`, "", true},
		{" \r\n\t{\"email\":\"a\",\"roles\":[\"x\",\"x\"]} \n", "", true},
		{`{"inner":{"email":"a"},"email":"b","many":[{"email":"c"},{"email":"d"}]}`, "", true},
		{`{"names":{"a":"1","b":"a"}}`, "", true},
		{`{"email":"a","email":"a"}`, "email", false},
		{`{"email":"a","EMAIL":"b"}`, "EMAIL", false},
		{`{"email":"a","\u0065mail":"b"}`, "email", false},
		{`{"keys":1,"` + "\u212a" + `eys":2}`, "\u212aeys", false}, // Kelvin sign
		{`{"inner":{"email":"a","email":"b"}}`, "email", false},
		{`{"many":[{},{"inner":{"roles":[],"roles":[]}}]}`, "roles", false},
		{`{"names":{"a":"1","a":"2"}}`, "a", false},
		{`{"email":"a","inner":{"many":[]},"email":"b"}`, "email", false},
		{``, "", false},
		{`null`, "", false},
		{`[]`, "", false},
		{`"email"`, "", false},
		{`{"other":1}`, "", false},
		{`{"email":1}`, "", false},
		{`{"email":"a"}{}`, "", false},
		{`{"email":"a"} x`, "", false},
		{`{"email":"a"`, "", false},
		{"{\"email\":\"\xff\"}", "", false},
		{"\u00a0{}", "", false},
		{strings.Repeat(`{"inner":`, 20000) + "{}" + strings.Repeat("}", 20000), "", false},
	} {
		err := jsonobject.Decode([]byte(test.text), &body{})
		repeated, isRepeated := errors.AsType[*jsonobject.RepeatedError](err)
		switch {
		case test.valid && err == nil, test.repeated == "" && !test.valid && errors.Is(err, jsonobject.ErrNotObject):
		case test.repeated != "" && isRepeated && repeated.Name == test.repeated:
		default:
			t.Errorf("Decode(%.60q) = %v, want valid %t, repeated %q", test.text, err, test.valid, test.repeated)
		}
	}
}

// FuzzDecode checks that what is accepted is read alike by a reader that keeps the first
// member of a name, and one that keeps the last.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"email":"a","Email":"b"}`, `{"many":[{"keys":1}]}`, `{"names":{"a":"b"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var decoded body
		if jsonobject.Decode(text, &decoded) != nil {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("Decode(%q) = nil, encoding/json: %v", text, err)
		}
		if got, want := bytes.Contains(text, []byte(":")), len(members) > 0; got != want {
			t.Errorf("Decode(%q) has members: %t, want %t", text, got, want)
		}
		for name := range members {
			twice := append(append([]byte("{"), mustMarshal(name)+`:null,`...), text[bytes.IndexByte(text, '{')+1:]...)
			if err := jsonobject.Decode(twice, &body{}); err == nil {
				t.Errorf("Decode(%q) = nil, want an error for %q", twice, name)
			}
		}
	})
}

func mustMarshal(name string) string {
	text, err := json.Marshal(name)
	if err != nil {
		panic(err)
	}
	return string(text)
}

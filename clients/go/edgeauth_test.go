package edgeauth

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// FuzzApply gives lists of any bytes to the reader of the feed.
func FuzzApply(f *testing.F) {
	f.Add([]byte("12345678\x00\x00\x00\x01"), false)
	f.Add([]byte("12345678\x00\x00\x00\x01\x00\x00\x00\x02\x00\x05admin"), true)
	f.Fuzz(func(t *testing.T, list []byte, withRoles bool) {
		entries := map[hash]entry{}
		if apply(entries, list, withRoles) && len(entries) > len(list)/12 {
			t.Errorf("apply(%q) made %d entries, want at most %d", list, len(entries), len(list)/12)
		}
	})
}

// FuzzParseKeys gives key sets of any bytes to the reader.
func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kid":"a","alg":"EdDSA","x":"AA"},{"kid":"b","alg":"ES256","x":"AA","y":"AA"},{"kid":"c","alg":"RS256","n":"AA","e":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeys(text)
		if err != nil && keys != nil {
			t.Errorf("parseKeys(%q) = %v, %v, want no keys with an error", text, keys, err)
		}
	})
}

// Documents with missing, repeated and mixed parts are refused: one of them would hide
// revocations.
func TestFeedRefusesIncompleteDocuments(t *testing.T) {
	at := func(n, of int, cursor, users string) part {
		return part{
			RegisteredClaims: jwt.RegisteredClaims{IssuedAt: jwt.NewNumericDate(time.Unix(100, 0))},
			Part:             n, Parts: of, Cursor: cursor, Users: users,
		}
	}
	for name, parts := range map[string][]part{
		"nothing":            {},
		"no time":            {{Part: 1, Parts: 1}},
		"the first of two":   {at(1, 2, "a", "")},
		"a part twice":       {at(1, 2, "a", ""), at(1, 2, "a", "")},
		"parts of two":       {at(1, 2, "a", ""), at(2, 2, "b", "")},
		"a list that is cut": {at(1, 1, "a", "AAAA")},
		"a list of noise":    {at(1, 1, "a", "%")},
	} {
		if next, err := (&feed{}).with(parts); err == nil {
			t.Errorf("with(%s) = %v, want an error", name, next)
		}
	}
	if next, err := (&feed{cursor: "x", issued: 1}).with([]part{at(1, 1, "a", "")}); err != nil || next.cursor != "a" || next.issued != 100 {
		t.Errorf("with(a full list) = %v, %v, want its cursor and time", next, err)
	}
}

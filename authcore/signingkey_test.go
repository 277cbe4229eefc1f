package authcore

import (
	"testing"
	"time"
)

func TestMergeKeys(t *testing.T) {
	origin := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	key := func(id string, signs time.Duration) SigningKey { return SigningKey{ID: id, Signs: origin.Add(signs)} }
	ids := func(keys []SigningKey) (ids string) {
		for _, key := range keys {
			ids += key.ID
		}
		return ids
	}
	stored := []SigningKey{key("a", 1), key("b", 3)}
	for name, test := range map[string]struct {
		keys  []SigningKey
		want  string
		added int
	}{
		"nothing":     {nil, "ab", 0},
		"the same":    {[]SigningKey{key("b", 3), key("a", 1)}, "ab", 0},
		"same id":     {[]SigningKey{key("a", 9)}, "ab", 0},
		"between":     {[]SigningKey{key("c", 2)}, "acb", 1},
		"around":      {[]SigningKey{key("d", 4), key("c", 0)}, "cabd", 2},
		"at one time": {[]SigningKey{key("c", 3)}, "abc", 1},
		"twice":       {[]SigningKey{key("c", 4), key("c", 4)}, "abc", 1},
	} {
		got, added := MergeKeys(stored, test.keys)
		if ids(got) != test.want || added != test.added {
			t.Errorf("%s: %s with %d added, want %s with %d", name, ids(got), added, test.want, test.added)
		}
	}
	if ids(stored) != "ab" {
		t.Errorf("the stored keys became %s", ids(stored))
	}
}

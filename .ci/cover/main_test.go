package main

import (
	"strings"
	"testing"
)

const profile = `mode: atomic
example.org/m/core/a.go:1.1,2.2 8 1
example.org/m/core/a.go:3.1,4.2 2 0
example.org/m/core/sub/b.go:1.1,2.2 1 0
example.org/m/core/sub/b.go:1.1,2.2 1 5
example.org/m/corelike/c.go:1.1,2.2 1 0
`

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		demand demand
		want   bool
		shows  string
	}{
		{"met", demand{"example.org/m", []string{"core"}, nil, 80}, true, "  80.0 %  example.org/m/core\n"},
		{"missed", demand{"example.org/m", []string{"core"}, nil, 85}, false, "example.org/m/core  less than 85 %\n"},
		{"excused", demand{"example.org/m", []string{"core"}, []string{"core"}, 85}, true, " 100.0 %  example.org/m/core/sub\n"},
		{"a name that only begins alike", demand{"example.org/m", []string{"core"}, nil, 80}, true, "   0.0 %  example.org/m/corelike\n"},
		{"nothing ran", demand{"example.org/m", []string{"gone"}, nil, 0}, false, "gone is not in the profile\n"},
		{"no demand", demand{"example.org/m", []string{""}, []string{""}, 100}, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			packages, err := parse(strings.NewReader(profile))
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if got := test.demand.check(packages, &out); got != test.want {
				t.Errorf("got %v, want %v:\n%s", got, test.want, out.String())
			}
			if !strings.Contains(out.String(), test.shows) {
				t.Errorf("shows\n%s\nwithout %q", out.String(), test.shows)
			}
		})
	}
}

func TestParseRefusesWhatIsNoProfile(t *testing.T) {
	for _, text := range []string{"PASS\n", "a.go:1.1,2.2 x 1\n"} {
		if _, err := parse(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

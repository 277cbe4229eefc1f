package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     summary
		shows    string
	}{
		{
			"pass, fail and skip are told apart",
			`{"Action":"run","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"A","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"B","Output":"b_test.go:1: loud\n"}
{"Action":"fail","Package":"p","Test":"B"}
{"Action":"output","Package":"p","Test":"C","Output":"c_test.go:1: no browser\n"}
{"Action":"output","Package":"p","Test":"C","Output":"--- SKIP: C (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"C"}
{"Action":"fail","Package":"p","Elapsed":1}
`,
			summary{1, 1, 1},
			"FAIL  p B\n      b_test.go:1: loud\nSKIP  p C: c_test.go:1: no browser\nFAIL  p (1.0s)\n",
		},
		{
			"a package that does not build is a failure",
			`{"ImportPath":"p","Action":"build-output","Output":"p.go:1: syntax error\n"}
{"Action":"fail","Package":"p","FailedBuild":"p"}
`,
			summary{0, 1, 0},
			"p.go:1: syntax error\nFAIL  p (0.0s)\n",
		},
		{
			"a panic ends a package and is shown",
			`{"Action":"output","Package":"p","Test":"A","Output":"panic: no\n"}
{"Action":"fail","Package":"p"}
`,
			summary{0, 1, 0},
			"FAIL  p (0.0s)\n      panic: no\n",
		},
		{
			"a package without tests is not a skipped test",
			`{"Action":"skip","Package":"p"}
`,
			summary{},
			"",
		},
		{"other lines pass through", "make: hello\n{not an event\n", summary{}, "make: hello\n{not an event\n"},
		{"the last line may be cut off", `{"Action":"pass","Package":"p","Test":"A"}`, summary{1, 0, 0}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			got, err := read(strings.NewReader(test.in), &out)
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
			if out.String() != test.shows {
				t.Errorf("shows %q, want %q", out.String(), test.shows)
			}
		})
	}
}

func TestAppendTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "counts")
	for _, s := range []summary{{1, 2, 3}, {4, 5, 6}} {
		if err := s.appendTo(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "1 2 3\n4 5 6\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

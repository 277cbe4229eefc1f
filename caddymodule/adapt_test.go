package caddymodule

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

var update = flag.Bool("update", false, "write what the golden files should contain")

const (
	// separator separates a Caddyfile from the JSON or the error that it becomes.
	separator = "----------\n"
	// caseMark begins a case of testdata/adapt_errors.txt, followed by its name.
	caseMark = "========== "
)

func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(content), separator)
			got := outcome(t, input)
			if *update {
				if err := os.WriteFile(file, []byte(input+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if strings.HasPrefix(want, "{") && string(caddyfile.Format([]byte(input))) != input {
				t.Error("the Caddyfile is not formatted")
			}
		})
	}
}

// Each case of testdata/adapt_errors.txt is a Caddyfile that must be refused with
// the error below it, which names file and line.
func TestAdaptErrors(t *testing.T) {
	const file = "testdata/adapt_errors.txt"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var updated strings.Builder
	cases := strings.Split(string(content), caseMark)[1:]
	for _, text := range cases {
		name, rest, _ := strings.Cut(text, "\n")
		input, want, _ := strings.Cut(rest, separator)
		t.Run(name, func(t *testing.T) {
			got := outcome(t, input)
			updated.WriteString(caseMark + name + "\n" + input + separator + got)
			if got != want && !*update {
				t.Errorf("adapt = %s, want %s", got, want)
			}
			if strings.HasPrefix(got, "{") {
				t.Error("adapt accepted a Caddyfile that must be refused")
			}
		})
	}
	if *update {
		if err := os.WriteFile(file, []byte(updated.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func outcome(t *testing.T, input string) string {
	t.Helper()
	adapted, err := adapt(input)
	if err != nil {
		return err.Error() + "\n"
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, adapted, "", "\t"); err != nil {
		t.Fatal(err)
	}
	return pretty.String() + "\n"
}

func TestShippedCaddyfilesAreFormatted(t *testing.T) {
	for _, file := range []string{"../Caddyfile.example"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(caddyfile.Format(content), content) {
			t.Errorf("%s: run caddy fmt --overwrite", file)
		}
	}
}

func TestShippedCaddyfileIsValid(t *testing.T) {
	content, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(string(content)); err != nil {
		t.Fatal(err)
	}
}

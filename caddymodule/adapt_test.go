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

// separator stands between a Caddyfile and what becomes of it: JSON, or the
// error, which does not begin with a brace.
const separator = "----------\n"

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

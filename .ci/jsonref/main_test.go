package main

import (
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	var page strings.Builder
	if err := write(&page, "../../caddymodule"); err != nil {
		t.Fatalf("write() = %v, want no error", err)
	}
	for _, want := range []string{
		"\n## http.handlers.token_auth\n",
		"| `max_age` | duration | The age of the login at most. Default: no limit. |",
		"| `require` | list of [Requirement](#requirement) |",
		"\n## Requirement\n",
		"\n## edgeauth.storage.postgres\n",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, line := range strings.Split(page.String(), "\n") {
		if strings.HasPrefix(line, "| `") && strings.HasSuffix(line, "|  |") {
			t.Errorf("an option has no description: %s", line)
		}
	}
}

func TestWriteRefusesOtherPackages(t *testing.T) {
	if err := write(new(strings.Builder), "."); err == nil || !strings.Contains(err.Error(), "no Caddy module") {
		t.Errorf("write(\".\") = %v, want an error about no Caddy module", err)
	}
}

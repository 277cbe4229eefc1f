package main

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestArgs(t *testing.T) {
	var b builder
	err := json.Unmarshal([]byte(`{
		"caddy_version": "v2.0.0",
		"plugins": [{"module_path": "example.org/a"}, {"module_path": "example.org/b", "version": "v1.2.3"}],
		"replacements": [{"old": "example.org/a", "new": "."}]
	}`), &b)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"build", "v2.0.0", "--with", "example.org/a", "--with", "example.org/b@v1.2.3",
		"--replace", "example.org/a=.", "--output", "caddy",
	}
	if got := b.args("caddy"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

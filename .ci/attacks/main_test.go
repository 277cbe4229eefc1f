package main

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFindAndRender(t *testing.T) {
	tree := fstest.MapFS{
		"a/hardening_test.go": {Data: []byte("package a\n\n// A forged header, e.g. `a | b`, is refused\n// (CWE-290). More.\nfunc TestForged(t *testing.T) {}\n\nfunc helper() {}\n\n// FuzzForged forges headers.\nfunc FuzzForged(f *testing.F) {}\n")},
		"a/other_test.go":     {Data: []byte("package a\n\n// No attack.\nfunc TestPlain(t *testing.T) {}\n\n// An attack: with a list.\nfunc TestHardeningMore(t *testing.T) {}\n")},
		"a/code.go":           {Data: []byte("package a\n\nfunc TestHardeningNot() {}\n")},
		"testdata/x_test.go":  {Data: []byte("not Go")},
		".git/x_test.go":      {Data: []byte("not Go")},
	}
	attacks, err := find(tree)
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	got := string(render(attacks))
	want := "\n## a\n\n| test | attack |\n|---|---|\n" +
		"| `FuzzForged` | Forges headers |\n" +
		"| `TestForged` | A forged header, e.g. `a \\| b`, is refused (CWE-290) |\n" +
		"| `TestHardeningMore` | An attack: with a list |\n"
	if !strings.HasSuffix(got, want) {
		t.Errorf("render(find) = %s\nwant the end %s", got, want)
	}
}

func TestFindReportsFaultyFiles(t *testing.T) {
	if _, err := find(fstest.MapFS{"a/x_test.go": {Data: []byte("not Go")}}); err == nil {
		t.Error("find accepts a file that is not Go")
	}
}

// The page lists the tests as they are.
func TestPageIsCurrent(t *testing.T) {
	t.Chdir("../..")
	if _, err := os.Stat(page); err != nil {
		t.Fatalf("Stat: %v", err)
	}
	if err := run(true); err != nil {
		t.Error(err)
	}
}

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestScan(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       int
	}{
		{"a.go", "// limit is how many wait", 1},
		{"a.go", "// limit bounds the number of waiting calls", 0},
		{"a.go", "// whoever reads it", 1},
		{"a.md", "Nobody can log in.", 1},
		{"a.md", "It is no longer valid.", 0},
		{"a.md", "It is no token.", 1},
		{"a.md", "There is none.", 1},
		{"a.sql", "-- the row goes on", 1},
		{"a.sql", "-- the row goes\n\t-- on", 1},
		{"a.go", "// limit is\n// how many wait", 1},
		{"a.go", "// limit is\n// whoever waits", 1},
		{"a.json", `"name": "a header that is none of ours",`, 1},
		{".gitignore", "# somebody", 1},
		{"a.lua", "-- beside the table", 1},
		{"a_test.go", `	t.Errorf("%d, %v", got, err)`, 1},
		{"a_test.go", `	t.Errorf("Count() = %d, %v", got, err)`, 0},
		{"a.go", `	t.Errorf("%d", got)`, 0},
		{"a_test.go", `	tb.Fatalf("%v", err)`, 1},
		{"a_test.go", `	return fmt.Errorf("%s: %s", path, status)`, 0},
		{"a.go", `	user.Lookup("nobody")`, 0},
		{"a.go", `	tb.Fatal("create a user named \"nobody\"")`, 0},
	} {
		if got := scan(c.name, []byte(c.line)); len(got) != c.want {
			t.Errorf("scan(%q, %q) = %q, want %d findings", c.name, c.line, got, c.want)
		}
	}
}

func TestCheckReadsTrackedFiles(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"bad.md": "somebody\n", "good.md": "a user\n", "sub/testdata/bad.md": "somebody\n", "image.png": "somebody\x00\n",
		".gitignore": "# somebody\n", "testdata/gate/bad.json": `{"name": "somebody"}`,
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatalf("MkdirAll: %v", err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("WriteFile: %v", err)
		}
	}
	if out, err := exec.Command("git", "-C", root, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	findings, err := check(root)
	if err != nil || len(findings) != 3 {
		t.Errorf("check = %q, %v, want findings in bad.md, .gitignore and bad.json", findings, err)
	}
}

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tiny is the least amount of work for each section.
func tiny() scale {
	return scale{
		sets: 2, rounds: 1, requests: 64, rotating: 64, revocations: []int{1, 200},
		cached: 256, flood: 512, alone: 8, together: 128, benchtime: "1x", hostRounds: 1, hostRequests: 32,
	}
}

// Every section runs and fills its tables.
func TestSections(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "edgeauth")
	for _, s := range sections() {
		t.Run(s.name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report.md")
			run(t, options{only: []string{s.name}, write: report, binary: build(t, binary), scale: tiny()})
			text, err := os.ReadFile(report)
			if err != nil {
				t.Fatalf("read the report: %v", err)
			}
			for _, wrong := range []string{"NaN", "Inf", "%!", "Left out", "| 0.00 |"} {
				if strings.Contains(string(text), wrong) {
					t.Errorf("the report contains %q:\n%s", wrong, text)
				}
			}
			if tables := regexp.MustCompile(`(?m)^\| ---.*\n\| `).FindAllString(string(text), -1); len(tables) < 2 {
				t.Errorf("the report has %d tables with rows, want those of the head and of the section:\n%s", len(tables), text)
			}
		})
	}
}

func build(t *testing.T, binary string) string {
	t.Helper()
	if _, err := os.Stat(binary); err != nil {
		(&bench{TB: t}).output("..", "go", "build", "-o", binary, "./cmd/edgeauth")
	}
	return binary
}

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// tiny is a small amount of work for each section.
func tiny() scale {
	return scale{
		sets: 2, rounds: 1, requests: 64, rotating: 64, revocations: []int{1, 200},
		flood: 512, alone: 8, together: 128, benchtime: "1x", hostRounds: 1, hostRequests: 32,
	}
}

// Every section runs and fills its tables.
func TestSections(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "edgeauth")
	for _, s := range sections() {
		t.Run(s.name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report.md")
			if !run(options{only: []string{s.name}, write: report, binary: binary, scale: tiny()}) {
				t.Fatal("the section failed; the reason is above")
			}
			text, err := os.ReadFile(report)
			if err != nil {
				t.Fatalf("read the report: %v", err)
			}
			for _, wrong := range []string{"NaN", "Inf", "%!"} {
				if strings.Contains(string(text), wrong) {
					t.Errorf("the report contains %q:\n%s", wrong, text)
				}
			}
			if tables := regexp.MustCompile(`(?m)^\| ---.*\n\| `).FindAllString(string(text), -1); len(tables) < 2 {
				t.Errorf("the report has %d tables with rows, want those of the head and of the section:\n%s", len(tables), text)
			}
			if strings.Contains(string(text), "Left out") {
				t.Skipf("SKIPPED, NOT TESTED in part:\n%s", text)
			}
		})
	}
}

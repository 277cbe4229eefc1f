package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Each figure in the table of the page is copied from the appendix.
func TestPageQuotesTheAppendix(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile("../docs/" + file)
		if err != nil {
			t.Fatalf("read %s: %v", file, err)
		}
		return string(text)
	}
	appendix := read("performance-appendix.md")
	if !strings.Contains(appendix, "## Costs of a request") {
		t.Skip("SKIPPED, NOT TESTED: the appendix has no figures yet")
	}
	rows := regexp.MustCompile(`(?m)^\| (.*) \| (.*) \|$`).FindAllStringSubmatch(read("performance.md"), -1)
	if len(rows) < 10 {
		t.Fatalf("the page has a table of %d rows, want 10 or more", len(rows))
	}
	for _, row := range rows[2:] { // after the header
		if !strings.Contains(appendix, "| "+row[2]+" ") {
			t.Errorf("the page states %q for %q, which is not in the appendix", row[2], row[1])
		}
	}
}

package provider

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDocumentedKinds requires a table row and a section for each kind.
func TestDocumentedKinds(t *testing.T) {
	text, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatalf("ReadFile() failed: %v", err)
	}
	for name, pattern := range map[string]string{"rows": "(?m)^\\| \\[`([\\w-]+)`\\]\\(#", "sections": `(?m)^### ([\w-]+)$`} {
		var found []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
		if !slices.Equal(found, Kinds()) {
			t.Errorf("documented %s =\n%v, want\n%v", name, found, Kinds())
		}
	}
}

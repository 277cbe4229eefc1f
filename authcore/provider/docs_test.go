package provider

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDocumentedKinds wants a row and a section for each kind.
func TestDocumentedKinds(t *testing.T) {
	text, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, pattern := range map[string]string{"rows": "(?m)^\\| \\[`([\\w-]+)`\\]\\(#", "sections": `(?m)^### ([\w-]+)$`} {
		var found []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
		if !slices.Equal(found, Kinds()) {
			t.Errorf("%s for\n%v, kinds are\n%v", name, found, Kinds())
		}
	}
}

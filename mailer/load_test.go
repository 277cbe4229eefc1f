package mailer

import (
	"testing"

	"github.com/edgeauth/edgeauth/internal/language"
)

// TestBuiltInTemplatesAreValid tries what LoadTemplates tries in templates of a folder.
func TestBuiltInTemplatesAreValid(t *testing.T) {
	templates, err := LoadTemplates("")
	if err != nil {
		t.Fatalf("LoadTemplates: %v", err)
	}
	for _, tag := range language.Tags() {
		if err := templates.login.byTag[tag].try(loginSamples()); err != nil {
			t.Errorf("login mail in %s: %v", tag, err)
		}
		if err := templates.account.byTag[tag].try(accountSamples()); err != nil {
			t.Errorf("account mail in %s: %v", tag, err)
		}
	}
}

func BenchmarkLoadTemplates(b *testing.B) {
	for b.Loop() {
		if _, err := LoadTemplates(""); err != nil {
			b.Fatalf("LoadTemplates: %v", err)
		}
	}
}

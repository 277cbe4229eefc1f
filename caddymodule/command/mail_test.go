package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMailPreview(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "mails")
	var out strings.Builder
	if err := previewMails(&out, "", "Shop", folder); err != nil {
		t.Fatalf("previewMails() failed: %v", err)
	}
	if want := "182 mails written to " + folder + "\n"; out.String() != want { // 13 in 14 languages
		t.Errorf("output = %q, want %q", out.String(), want)
	}
	for file, want := range map[string]string{
		"en/login.txt":           "Subject: 123456 is your code for Shop\n",
		"de/address_changed.txt": "Subject: Ihre Adresse bei Shop wurde geändert\n",
		"ar/new_login.html":      `dir="rtl"`,
		"zh-hans/login.html":     "<!doctype html>",
	} {
		text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(file)))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s = %.300s, %v, want %q in it", file, text, err, want)
		}
	}
	if err := previewMails(&out, filepath.Join(folder, "missing"), "", folder); err == nil {
		t.Error("previewMails() with missing templates succeeded, want an error")
	}
	if err := previewMails(&out, "", "", ""); err == nil {
		t.Error("previewMails() without a directory succeeded, want an error")
	}
}

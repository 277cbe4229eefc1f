package mailer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func mustLoad(t *testing.T, dir string) *Templates {
	t.Helper()
	templates, err := LoadTemplates(dir)
	if err != nil {
		t.Fatal(err)
	}
	return templates
}

// writeFiles makes a directory of templates.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func render(t *testing.T, templates *Templates, locale string) Content {
	t.Helper()
	mail := testMail("alice@example.org", noon)
	mail.Locale = locale
	content, err := templates.Render(mail)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestBuiltInTemplates(t *testing.T) {
	for locale, want := range map[string]struct{ subject, lifetime, ignore, lang string }{
		"":      {"Your login link", "15 minutes", "ignore this mail", `lang="en"`},
		"en-GB": {"Your login link", "15 minutes", "ignore this mail", `lang="en"`},
		"fr":    {"Your login link", "15 minutes", "ignore this mail", `lang="en"`},
		"de":    {"Ihr Anmeldelink", "15 Minuten", "beachten Sie diese Mail nicht", `lang="de"`},
		"de-AT": {"Ihr Anmeldelink", "15 Minuten", "beachten Sie diese Mail nicht", `lang="de"`},
	} {
		content := render(t, mustLoad(t, ""), locale)
		if content.Subject != want.subject || !strings.Contains(content.HTML, want.lang) {
			t.Errorf("%q: subject %q", locale, content.Subject)
		}
		for name, body := range map[string]string{"text": content.Text, "HTML": content.HTML} {
			body = strings.ReplaceAll(body, "\n", " ")
			for _, part := range []string{"https://frontend.app/auth/link/S3cretL1nk", "987654", want.lifetime, want.ignore, "web"} {
				if !strings.Contains(body, part) {
					t.Errorf("%q: no %q in the %s", locale, part, name)
				}
			}
		}
		// Subjects stand in logs of mail servers and on locked screens.
		if strings.Contains(content.Subject, "987654") {
			t.Error("the code is in the subject")
		}
	}
}

// Mail that fetches something tells who opened it, when and where.
func TestBuiltInTemplatesFetchNothing(t *testing.T) {
	for _, locale := range []string{"en", "de"} {
		body := strings.ToLower(render(t, mustLoad(t, ""), locale).HTML)
		for _, part := range []string{"<img", "<link", "<script", "<iframe", "url(", "@import", "src=", "background=\""} {
			if strings.Contains(body, part) {
				t.Errorf("%s has %q", locale, part)
			}
		}
		if strings.Count(body, "://") != 3 { // two addresses and the one to read
			t.Errorf("%s has other addresses than the link", locale)
		}
	}
}

func TestTemplatesWithoutOptionalValues(t *testing.T) {
	mail := testMail("alice@example.org", noon)
	mail.Code, mail.Client = "", ""
	content, err := mustLoad(t, "").Render(mail)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"type in this code", "Requested in"} {
		if strings.Contains(content.Text+content.HTML, part) {
			t.Errorf("%q without a value", part)
		}
	}
}

func TestLinksToAppsStayWhole(t *testing.T) {
	mail := testMail("alice@example.org", noon)
	mail.Link = "myapp://auth/link/S3cretL1nk?a=1&b=2"
	content, err := mustLoad(t, "").Render(mail)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(content.HTML, `href="myapp://auth/link/S3cretL1nk?a=1&amp;b=2"`) || !strings.Contains(content.Text, mail.Link) {
		t.Error(content.HTML)
	}
}

func TestLoadTemplatesFallsBack(t *testing.T) {
	one := map[string]string{"subject.txt": "Mine\n", "text.txt": "mine {{.Link}}", "html.html": "<p>mine"}
	french := map[string]string{"fr/subject.txt": "Lien", "fr/text.txt": "{{.Minutes}} minutes {{.Locale}}", "fr/html.html": "<p>lien"}
	both := map[string]string{"de_AT/subject.txt": "Servus"}
	for _, files := range []map[string]string{one, french} {
		for name, content := range files {
			both[name] = content
		}
	}
	for name, tt := range map[string]struct {
		files map[string]string
		want  map[string]string // subject by locale
	}{
		"default only":      {map[string]string{"subject.txt": "Mine"}, map[string]string{"": "Mine", "en": "Mine", "de": "Mine"}},
		"language only":     {french, map[string]string{"": "Your login link", "fr-CA": "Lien", "de": "Ihr Anmeldelink"}},
		"one file of a tag": {map[string]string{"de/subject.txt": "Hallo"}, map[string]string{"": "Your login link", "de-CH": "Hallo"}},
		"hidden files":      {map[string]string{".DS_Store": "x", "subject.txt": "Mine"}, map[string]string{"": "Mine"}},
	} {
		t.Run(name, func(t *testing.T) {
			templates := mustLoad(t, writeFiles(t, tt.files))
			for locale, want := range tt.want {
				if got := render(t, templates, locale).Subject; got != want {
					t.Errorf("%q: %q, want %q", locale, got, want)
				}
			}
		})
	}
	if _, err := LoadTemplates(writeFiles(t, both)); err == nil || !strings.Contains(err.Error(), "text.txt is missing") {
		t.Errorf("an incomplete language: %v", err)
	}
	if text := render(t, mustLoad(t, writeFiles(t, french)), "fr").Text; text != "15 minutes fr" {
		t.Errorf("text %q", text)
	}
}

// What is wrong with a template must show at start, with the place.
func TestLoadTemplatesTellsTheFault(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"syntax":            {map[string]string{"text.txt": "a\nb\n{{.Link"}, []string{"text.txt:3"}},
		"unknown field":     {map[string]string{"html.html": "<p>\n{{.Lnk}}"}, []string{"html.html:2", "Lnk"}},
		"in a branch":       {map[string]string{"text.txt": "{{if .Client}}\n{{.Nope}}{{end}}"}, []string{"text.txt:2", "Nope"}},
		"unsafe HTML":       {map[string]string{"html.html": "<p>\n<a href='{{if .Code}}x\"{{end}}>"}, []string{"html.html"}},
		"folder":            {map[string]string{"de/html.html": "\n\n{{end}}"}, []string{filepath.Join("de", "html.html") + ":3"}},
		"two lines":         {map[string]string{"subject.txt": "a\nb"}, []string{"subject.txt", "more than one line"}},
		"lines in a branch": {map[string]string{"subject.txt": "a{{if .Client}}\nBcc: x@y.example{{end}}"}, []string{"more than one line"}},
		"no subject":        {map[string]string{"subject.txt": " \n"}, []string{"subject is empty"}},
		"endless subject":   {map[string]string{"subject.txt": strings.Repeat("a", 201)}, []string{"longer than"}},
		"misspelt":          {map[string]string{"subjet.txt": "a"}, []string{"subjet.txt"}},
		"nothing":           {nil, []string{"neither"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadTemplates(writeFiles(t, tt.files))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %q", want, err)
				}
			}
		})
	}
	if _, err := LoadTemplates(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing directory: no error")
	}
}

func TestWithSubject(t *testing.T) {
	templates := mustLoad(t, "")
	changed, err := templates.WithSubject("Log in to {{.Client}}")
	if err != nil {
		t.Fatal(err)
	}
	for _, locale := range []string{"en", "de"} {
		if got := render(t, changed, locale).Subject; got != "Log in to web" {
			t.Errorf("%s: %q", locale, got)
		}
	}
	if got := render(t, templates, "en").Subject; got != "Your login link" {
		t.Errorf("the original became %q", got)
	}
	for _, bad := range []string{"", "a\nb", "{{.Nope}}", "{{", "{{if .Code}}a\r\nb{{end}}"} {
		if _, err := templates.WithSubject(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

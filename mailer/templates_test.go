package mailer

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/language"
)

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func mustLoad(t *testing.T, dir string) *Templates {
	t.Helper()
	templates, err := LoadTemplates(dir)
	if err != nil {
		t.Fatalf("LoadTemplates() failed: %v", err)
	}
	return templates
}

// writeFiles creates a directory of templates.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatalf("MkdirAll() failed: %v", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatalf("WriteFile() failed: %v", err)
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
		t.Fatalf("Render() failed: %v", err)
	}
	return content
}

func TestBuiltInTemplates(t *testing.T) {
	for locale, want := range map[string]struct{ subject, lifetime, ignore, lang string }{
		"":                 {"987654 is your code for frontend.app", "15 minutes", "ignore this mail", `lang="en" dir="ltr"`},
		"en-GB":            {"987654 is your code for frontend.app", "15 minutes", "ignore this mail", `lang="en" dir="ltr"`},
		"sv":               {"987654 is your code for frontend.app", "15 minutes", "ignore this mail", `lang="en" dir="ltr"`},
		"de":               {"987654 ist Ihr Code für frontend.app", "15 Minuten", "ignorieren Sie diese Mail", `lang="de" dir="ltr"`},
		"de-AT":            {"987654 ist Ihr Code für frontend.app", "15 Minuten", "ignorieren Sie diese Mail", `lang="de" dir="ltr"`},
		"sv, de;q=0.5":     {"987654 ist Ihr Code für frontend.app", "15 Minuten", "ignorieren Sie diese Mail", `lang="de" dir="ltr"`},
		"de;q=0.1,fr-CA":   {"987654 est votre code pour frontend.app", "15 minutes", "ignorez ce message", `lang="fr" dir="ltr"`},
		"de;q=0, pt, en":   {"987654 é o seu código para frontend.app", "15 minutos", "ignore esta mensagem", `lang="pt-br" dir="ltr"`},
		"ar":               {"987654 هو رمزك لـ frontend.app", "15 دقيقة", "فتجاهل هذه الرسالة", `lang="ar" dir="rtl"`},
		"zh-CN":            {"987654 是您在 frontend.app 的验证码", "15 分钟", "请忽略此邮件", `lang="zh-hans" dir="ltr"`},
		"*, ;, de;q=x, it": {"987654 è il tuo codice per frontend.app", "15 minuti", "ignora questo messaggio", `lang="it" dir="ltr"`},
	} {
		content := render(t, mustLoad(t, ""), locale)
		if content.Subject != want.subject || !strings.Contains(content.HTML, want.lang) {
			t.Errorf("subject in %q = %q, want %q", locale, content.Subject, want.subject)
		}
		for name, body := range map[string]string{"text": content.Text, "HTML": content.HTML} {
			body = strings.ReplaceAll(body, "\n", " ")
			for _, part := range []string{"https://frontend.app/auth/link/S3cretL1nk", "987654", want.lifetime, want.ignore, "web", "alice@example.org"} {
				if !strings.Contains(body, part) {
					t.Errorf("the %s in %q does not contain %q", name, locale, part)
				}
			}
		}
	}
}

// TestRequestDetails shows title, time, browser and network of the request.
func TestRequestDetails(t *testing.T) {
	mail := testMail("alice@example.org", noon)
	mail.Title, mail.Requested = "Example & Co", noon
	mail.IP = netip.MustParseAddr("192.0.2.77")
	mail.UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	content, err := mustLoad(t, "").Render(mail)
	if err != nil {
		t.Fatalf("Render() failed: %v", err)
	}
	if content.Subject != "987654 is your code for Example & Co" {
		t.Errorf("subject = %q", content.Subject)
	}
	for _, want := range []string{"Time: 2026-03-01 12:00 UTC\n", "Browser: Firefox, Linux\n", "Network: 192.0.2.0/24\n", "Address: alice@example.org\n"} {
		if !strings.Contains(content.Text, want) {
			t.Errorf("the text does not contain %q:\n%s", want, content.Text)
		}
	}
	if strings.Contains(content.Text+content.HTML, "192.0.2.77") || !strings.Contains(content.HTML, "Sign in to Example &amp; Co</h1>") {
		t.Errorf("HTML =\n%s", content.HTML)
	}
	mail.Code, mail.IP = "", netip.MustParseAddr("2001:db8:1:2::3")
	if content, err = mustLoad(t, "").Render(mail); err != nil || content.Subject != "Sign in to Example & Co" || !strings.Contains(content.Text, "Network: 2001:db8:1::/48\n") {
		t.Errorf("Render() without a code = %q, %v\n%s", content.Subject, err, content.Text)
	}
}

// TestCatalogue requires every text in every language, with the same placeholders.
func TestCatalogue(t *testing.T) {
	files, err := embedded.ReadDir("phrases")
	if err != nil || len(files) != len(language.Tags()) || len(files) < 14 {
		t.Errorf("there are %d files of phrases, %v, want %d, at least 14", len(files), err, len(language.Tags()))
	}
	placeholder := regexp.MustCompile(`\{[a-z]*\}`)
	placeholders := func(group, text string) string {
		found := placeholder.FindAllString(text, -1)
		if group == "with_code" { // with two placeholders, whose order is that of the language
			slices.Sort(found)
		}
		return strings.Join(found, " ")
	}
	reference := readPhrases(t, language.Default)
	for _, kind := range accountKinds() {
		if _, found := reference[string(kind)]; !found {
			t.Errorf("the phrases have no group %s", kind)
		}
	}
	for _, tag := range language.Tags() {
		groups := readPhrases(t, tag)
		if got, want := slices.Sorted(maps.Keys(groups)), slices.Sorted(maps.Keys(reference)); !slices.Equal(got, want) {
			t.Errorf("%s: the groups are %v, want %v", tag, got, want)
		}
		for group, phrases := range groups {
			got, want := reflect.ValueOf(phrases), reflect.ValueOf(reference[group])
			for i := range got.NumField() {
				name, text, english := got.Type().Field(i).Name, got.Field(i).String(), want.Field(i).String()
				if (text == "") != (english == "") || placeholders(group, text) != placeholders(group, english) {
					t.Errorf("%s: %s of %s = %q, want the placeholders of %q", tag, name, group, text, english)
				}
				if group == "invitation" && tag != language.Default && text != "" && text == english {
					t.Errorf("%s: %s of %s = %q, want a translation", tag, name, group, text)
				}
			}
		}
		if content := render(t, mustLoad(t, ""), tag); strings.ContainsAny(content.Subject+content.Text, "{}") {
			t.Errorf("%s: the mail contains a placeholder:\n%s", tag, content.Text)
		}
	}
}

// TestPhrasesAreComplete requires all phrases of a mail, but those of other kinds.
func TestPhrasesAreComplete(t *testing.T) {
	for _, mail := range append(loginSamples(), accountSamples()...) {
		data, err := newData(mail, language.Default)
		if err != nil {
			t.Fatalf("newData() failed: %v", err)
		}
		value := reflect.ValueOf(data.Text)
		for i := range value.NumField() {
			name, text := value.Type().Field(i).Name, value.Field(i).String()
			if isEmpty := name == "Message" && hasLink(mail.Kind); (text == "") != isEmpty {
				t.Errorf("%s of a mail of kind %q = %q, want it to be empty: %t", name, mail.Kind, text, isEmpty)
			}
		}
	}
}

// readPhrases returns the groups of phrases in a language.
func readPhrases(t *testing.T, tag string) map[string]Phrases {
	t.Helper()
	content, err := embedded.ReadFile("phrases/" + tag + ".json")
	if err != nil {
		t.Fatalf("reading the phrases failed: %v", err)
	}
	var groups map[string]Phrases
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&groups); err != nil {
		t.Fatalf("%s: Decode() failed: %v", tag, err)
	}
	return groups
}

// TestInternationalizedHost shows the ASCII form of the host, so that look-alike
// characters are visible.
func TestInternationalizedHost(t *testing.T) {
	mail := testMail("alice@example.org", noon)
	mail.Link = "https://bücher.example/auth/link/S3cretL1nk"
	content, err := mustLoad(t, "").Render(mail)
	if err != nil || strings.Contains(content.Text+content.HTML, "bücher") || !strings.Contains(content.Text, "https://xn--bcher-kva.example/auth/link/S3cretL1nk\n") {
		t.Errorf("Render() = %v\n%s", err, content.Text)
	}
}

// TestBuiltInTemplatesFetchNothing: remote content reveals the time and place of reading.
func TestBuiltInTemplatesFetchNothing(t *testing.T) {
	for _, locale := range language.Tags() {
		body := strings.ToLower(render(t, mustLoad(t, ""), locale).HTML)
		for _, part := range []string{"<img", "<link", "<script", "<iframe", "url(", "@import", "src=", "background=\""} {
			if strings.Contains(body, part) {
				t.Errorf("the HTML in %s contains %q", locale, part)
			}
		}
		if strings.Count(body, "://") != 3 { // two references and the text
			t.Errorf("the HTML in %s contains other addresses than the link", locale)
		}
	}
}

func TestTemplatesWithoutOptionalValues(t *testing.T) {
	mail := testMail("alice@example.org", noon)
	mail.Code, mail.Client = "", ""
	content, err := mustLoad(t, "").Render(mail)
	if err != nil {
		t.Fatalf("mustLoad() failed: %v", err)
	}
	for _, part := range []string{"enter this code", "Requested in", "Link and code"} {
		if strings.Contains(content.Text+content.HTML, part) {
			t.Errorf("the mail contains %q without a value", part)
		}
	}
}

func TestLinksToAppsStayWhole(t *testing.T) {
	mail := testMail("alice@example.org", noon)
	mail.Link = "myapp://auth/link/S3cretL1nk?a=1&b=2"
	content, err := mustLoad(t, "").Render(mail)
	if err != nil {
		t.Fatalf("mustLoad() failed: %v", err)
	}
	if !strings.Contains(content.HTML, `href="myapp://auth/link/S3cretL1nk?a=1&amp;b=2"`) || !strings.Contains(content.Text, mail.Link) {
		t.Errorf("HTML =\n%s", content.HTML)
	}
}

func TestLoadTemplatesFallsBack(t *testing.T) {
	one := map[string]string{"subject.txt": "Mine\n", "text.txt": "mine {{.Link}}", "html.html": "<p>mine"}
	swedish := map[string]string{"sv/subject.txt": "Länk", "sv/text.txt": "{{.Minutes}} minuter {{.Locale}}", "sv/html.html": "<p>länk"}
	both := map[string]string{"da/subject.txt": "Hej"}
	for _, files := range []map[string]string{one, swedish} {
		for name, content := range files {
			both[name] = content
		}
	}
	for name, tt := range map[string]struct {
		files map[string]string
		want  map[string]string // subject by locale
	}{
		"default only":      {map[string]string{"subject.txt": "Mine"}, map[string]string{"": "Mine", "en": "Mine", "de": "Mine"}},
		"language only":     {swedish, map[string]string{"": "987654 is your code for frontend.app", "sv-FI": "Länk", "de": "987654 ist Ihr Code für frontend.app"}},
		"one file of a tag": {map[string]string{"de/subject.txt": "Hallo"}, map[string]string{"": "987654 is your code for frontend.app", "de-CH": "Hallo"}},
		"one of a variant":  {map[string]string{"de_AT/subject.txt": "Servus"}, map[string]string{"de-AT": "Servus", "de": "987654 ist Ihr Code für frontend.app"}},
		"hidden files":      {map[string]string{".DS_Store": "x", "subject.txt": "Mine"}, map[string]string{"": "Mine"}},
	} {
		t.Run(name, func(t *testing.T) {
			templates := mustLoad(t, writeFiles(t, tt.files))
			for locale, want := range tt.want {
				if got := render(t, templates, locale).Subject; got != want {
					t.Errorf("subject in %q = %q, want %q", locale, got, want)
				}
			}
		})
	}
	if _, err := LoadTemplates(writeFiles(t, both)); err == nil || !strings.Contains(err.Error(), "text.txt is missing") {
		t.Errorf("LoadTemplates() of an incomplete language failed with %v, want a missing file", err)
	}
	if text := render(t, mustLoad(t, writeFiles(t, swedish)), "sv").Text; text != "15 minuter sv" {
		t.Errorf("text = %q, want 15 minuter sv", text)
	}
}

// TestLoadTemplatesReportsFaults requires the position of the fault.
func TestLoadTemplatesReportsFaults(t *testing.T) {
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
		"nothing":           {nil, []string{"contains no texts"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadTemplates(writeFiles(t, tt.files))
			if err == nil {
				t.Fatal("LoadTemplates() succeeded, want an error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("LoadTemplates() failed with %q, want %q in it", err, want)
				}
			}
		})
	}
	if _, err := LoadTemplates(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("LoadTemplates() of a missing directory succeeded, want an error")
	}
}

func TestWithSubject(t *testing.T) {
	templates := mustLoad(t, "")
	changed, err := templates.WithSubject("Log in to {{.Client}}")
	if err != nil {
		t.Fatalf("WithSubject() failed: %v", err)
	}
	for _, locale := range []string{"en", "de"} {
		if got := render(t, changed, locale).Subject; got != "Log in to web" {
			t.Errorf("subject in %s = %q, want Log in to web", locale, got)
		}
	}
	if got := render(t, templates, "en").Subject; got != "987654 is your code for frontend.app" {
		t.Errorf("subject of the original = %q", got)
	}
	for _, bad := range []string{"", "a\nb", "{{.Nope}}", "{{", "{{if .Code}}a\r\nb{{end}}"} {
		if _, err := templates.WithSubject(bad); err == nil {
			t.Errorf("WithSubject(%q) succeeded, want an error", bad)
		}
	}
}

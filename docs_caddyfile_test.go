package edgeauth_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/edgeauth/edgeauth"
)

// checkCaddyfile checks that the block is valid, in the format of `caddy fmt`. A block
// without the global options is a fragment: sites, a directive of a site, or options of
// a realm.
func checkCaddyfile(t *testing.T, b block) {
	if formatted := string(caddyfile.Format([]byte(b.text))); formatted != b.text {
		t.Errorf("the format differs, caddy fmt returns:\n%s", formatted)
	}
	source := b.text
	switch {
	case strings.HasPrefix(source, "{"):
	case sites.MatchString(source):
		source = "{\nedgeauth {\n" + strings.Replace(minimal, "insecure_debug_links", "mailer log", 1) + "}\n}\n" + source
	case siteDirective.MatchString(source):
		source = "{\nedgeauth {\n" + minimal + "}\n}\nhttp://localhost:8080 {\n" + source + "login_page\n}\n"
	default:
		options := minimal
		if strings.Contains(source, "client web ") && strings.Contains(source, "file.") {
			options = strings.Replace(options, "client example example-key\n", "", 1)
		}
		source = "{\nedgeauth {\n" + options + source + "}\n}\n"
	}
	for _, found := range variable.FindAllStringSubmatch(source, -1) {
		t.Setenv(found[1], valueFor(found[1]))
	}
	source = secretFile.ReplaceAllStringFunc(source, func(placeholder string) string {
		name := filepath.Base(strings.Trim(placeholder, "{}"))
		value := "value-of-" + name
		if strings.HasSuffix(name, ".p8") {
			value = applePrivateKey(t)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		return "{file." + path + "}"
	})
	adapted, err := adapt(source)
	if err != nil {
		t.Fatal(err)
	}
	var config caddy.Config
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&config); err != nil {
		t.Error(err)
	}
}

var (
	sites         = regexp.MustCompile(`^[a-z]+\.example\.com \{\n`)
	siteDirective = regexp.MustCompile(`^(?:token_auth|login_api|login_page|admin_page)\b`)
	variable      = regexp.MustCompile(`\{env\.([A-Z0-9_]+)\}`)
	secretFile    = regexp.MustCompile(`\{file\.[^}]+\}`)
)

// minimal completes a fragment to a valid realm.
const minimal = `client example example-key
email_link https://frontend.app/auth/link/{token}
insecure_debug_links
`

// valueFor returns a value for a variable. Values differ, as those of keys do.
func valueFor(variable string) string {
	if variable == "REDIS_URL" {
		return "redis://user:password@redis.example.com:6379"
	}
	if strings.HasSuffix(variable, "_WEBHOOK") {
		return "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	}
	if strings.HasSuffix(variable, "_URL") {
		return "smtp://user:password@mail.example.com"
	}
	return "value-of-" + strings.ToLower(variable)
}

func adapt(source string) ([]byte, error) {
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(source), map[string]any{"filename": "example"})
	return adapted, err
}

// checkSyntax checks that the parser knows each option of a table of the syntax, at
// its place. It uses the option without arguments: an unknown option has an error of
// its own.
func checkSyntax(t *testing.T, b block) {
	var outer []string
	for line := range strings.Lines(b.text) {
		line = strings.TrimSpace(line)
		switch line {
		case "", "{", "…":
			continue
		case "}":
			if len(outer) > 0 {
				outer = outer[:len(outer)-1]
			}
			continue
		}
		name := strings.Fields(line)[0]
		if !isKnown(outer, name) {
			t.Errorf("the parser does not know %q in %q", name, outer)
		}
		if len(outer) > 0 && isKnown(outer, "unknown_option") {
			t.Errorf("an unknown option in %q is not reported: this test cannot check its options", outer)
		}
		if head, opens := strings.CutSuffix(line, "{"); opens {
			outer = append(outer, withValues(head))
		}
	}
}

// isKnown reports whether the Caddyfile has an option or directive inside others.
func isKnown(outer []string, name string) bool {
	source := name
	for i := len(outer) - 1; i >= 0; i-- {
		source = outer[i] + " {\n" + source + "\n}"
	}
	first := name
	if len(outer) > 0 {
		first = outer[0]
	}
	switch first, _, _ := strings.Cut(first, " "); first {
	case "edgeauth":
		source = "{\n" + source + "\n}"
	case "mailer", "storage":
		source = "{\nedgeauth {\n" + source + "\n}\n}"
	default:
		source = "https://app.example.com {\n" + source + "\n}"
	}
	_, err := adapt(source)
	return err == nil || !strings.Contains(err.Error(), "unrecognized")
}

// withValues replaces the parts of a line of syntax: optional ones disappear, names
// become values, and of alternatives the first remains.
func withValues(line string) string {
	line = regexp.MustCompile(`\[[^]]*\]+`).ReplaceAllString(line, "")
	line = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(line, "https://example.com")
	return strings.TrimSpace(strings.ReplaceAll(line, "…", ""))
}

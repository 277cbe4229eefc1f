package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composition is the part of a compose file that the tests read. Other fields are errors.
type composition struct {
	Node     any                        `yaml:"x-edgeauth"`
	Services map[string]composedService `yaml:"services"`
	Volumes  map[string]map[string]any  `yaml:"volumes"`
}

type composedService struct {
	Image       string
	Build       string
	Restart     string
	Ports       []string
	Environment map[string]string
	Volumes     []string
	Tmpfs       []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	ReadOnly    bool                                  `yaml:"read_only"`
	CapDrop     []string                              `yaml:"cap_drop"`
	SecurityOpt []string                              `yaml:"security_opt"`
	Grace       string                                `yaml:"stop_grace_period"`
	Healthcheck struct {
		Test        []string
		Interval    string
		StartPeriod string `yaml:"start_period"`
	}
}

// ownImage is the image of the Dockerfile.
const ownImage = "ghcr.io/edgeauth/edgeauth"

var (
	fixedImage = regexp.MustCompile(`^[a-z0-9/.-]+:v?[0-9][0-9a-z.-]*$`)
	used       = regexp.MustCompile(`\{env\.([A-Z_]+)\}|\{\$([A-Z_]+)\}`)
	demanded   = regexp.MustCompile(`\$\{[A-Z_]+(?::[?-][^}]*)?\}`)
)

// TestCompose checks the setups of deploy/compose without Docker: images, volumes, ports and
// variables agree with each other and with the Caddyfiles, which are valid.
func TestCompose(t *testing.T) {
	t.Log("NOT TESTED: no image is built and no container runs, because that needs Docker and a registry")
	files, err := filepath.Glob("../deploy/compose/*/compose.yaml")
	if err != nil || len(files) != 3 {
		t.Fatalf("found %d setups, %v, want 3", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			t.Parallel()
			var setup composition
			decodeYAML(t, file, &setup)
			volumes := map[string]bool{}
			for name, service := range setup.Services {
				service.check(t, name, filepath.Dir(file), &setup)
				for _, volume := range service.Volumes {
					source, _, _ := strings.Cut(volume, ":")
					if strings.HasPrefix(source, ".") {
						service.checkCaddyfile(t, name, filepath.Join(filepath.Dir(file), source), &setup)
						continue
					}
					volumes[source] = true
					if _, declared := setup.Volumes[source]; !declared {
						t.Errorf("%s uses the volume %s, which is not declared", name, source)
					}
				}
			}
			for name := range setup.Volumes {
				if !volumes[name] {
					t.Errorf("the volume %s is not used", name)
				}
			}
		})
	}
}

func decodeYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("decoding %s: %v", file, err)
	}
}

// check checks a service of the setup in a folder, without its files.
func (s composedService) check(t *testing.T, name, folder string, setup *composition) {
	t.Helper()
	image := demanded.ReplaceAllString(s.Image, "1.2.3")
	if !fixedImage.MatchString(image) {
		t.Errorf("%s: the image %q has no fixed version", name, s.Image)
	}
	for other := range s.DependsOn {
		if _, exists := setup.Services[other]; !exists {
			t.Errorf("%s depends on %s, which does not exist", name, other)
		}
	}
	if !strings.HasPrefix(s.Image, ownImage+":") {
		return
	}
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
		t.Errorf("%s: is not confined: read_only %t, cap_drop %v, security_opt %v", name, s.ReadOnly, s.CapDrop, s.SecurityOpt)
	}
	if _, err := os.Stat(filepath.Join(folder, s.Build, "Dockerfile")); err != nil {
		t.Errorf("%s: the directory of the image: %v", name, err)
	}
	if s.Grace != "30s" {
		t.Errorf("%s: stop_grace_period = %s, want 30s", name, s.Grace)
	}
	data := slices.ContainsFunc(slices.Concat(s.Volumes, s.Tmpfs), func(volume string) bool {
		return strings.HasSuffix(volume, ":/data") || strings.HasPrefix(volume, "/data:")
	})
	if !data {
		t.Errorf("%s: nothing is mounted at /data, the only directory that is written", name)
	}
}

// checkCaddyfile validates the Caddyfile of a service with its variables.
func (s composedService) checkCaddyfile(t *testing.T, name, file string, setup *composition) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{}
	for key, value := range s.Environment {
		environment[key] = sampleValue(key, value)
	}
	variables := map[string]bool{}
	for _, found := range used.FindAllSubmatch(text, -1) {
		variable := string(found[1]) + string(found[2])
		variables[variable] = true
		if environment[variable] == "" {
			t.Errorf("%s: %s uses %s, which the service does not set", name, file, variable)
		}
	}
	for variable := range s.Environment {
		if !variables[variable] {
			t.Errorf("%s: %s does not use the variable %s", name, file, variable)
		}
	}
	listened := validCaddyfile(t, file, environment, func(host string) bool {
		_, exists := setup.Services[host]
		return exists
	})
	for _, port := range s.Ports {
		fields := strings.Split(strings.TrimSuffix(port, "/udp"), ":")
		// Caddy listens on port 80 for redirects, which only running configurations contain.
		if target := fields[len(fields)-1]; !listened[target] && (target != "80" || !listened["443"]) {
			t.Errorf("%s publishes the port %s, but %s listens on %v", name, target, file, listened)
		}
	}
}

// sampleValue replaces what an operator writes to .env.
func sampleValue(key, value string) string {
	return demanded.ReplaceAllStringFunc(value, func(string) string {
		switch key {
		case "SITE":
			return "app.example.com"
		case "SMTP_URL":
			return "smtp://user:password@mail.example.com:587"
		case "MAIL_FROM":
			return "Example <login@example.com>"
		}
		return "password"
	})
}

// validCaddyfile checks a Caddyfile and returns the ports that it listens on. All upstreams
// must be known.
func validCaddyfile(t *testing.T, file string, environment map[string]string, known func(host string) bool) map[string]bool {
	t.Helper()
	folder := t.TempDir()
	run := func(args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = []string{"HOME=" + folder, "XDG_DATA_HOME=" + folder, "XDG_CONFIG_HOME=" + folder}
		for key, value := range environment {
			cmd.Env = append(cmd.Env, key+"="+value)
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s failed: %v\n%s", args[0], file, err, stderr.String())
		}
		return out
	}
	run("validate", "--adapter", "caddyfile", "--config", file)
	run("fmt", file) // fails if the format differs
	adapted := run("adapt", "--adapter", "caddyfile", "--config", file)
	var config struct {
		Apps struct {
			HTTP struct {
				Servers map[string]struct{ Listen []string }
			}
		}
	}
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	ports := map[string]bool{}
	for _, server := range config.Apps.HTTP.Servers {
		for _, address := range server.Listen {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			ports[port] = true
		}
	}
	for _, found := range regexp.MustCompile(`"dial":"([^"]+)"`).FindAllSubmatch(adapted, -1) {
		if host, _, err := net.SplitHostPort(string(found[1])); err != nil || !known(host) {
			t.Errorf("%s: the upstream %s does not exist", file, found[1])
		}
	}
	return ports
}

// TestDebianCaddyfile checks the Caddyfile of the Debian package.
func TestDebianCaddyfile(t *testing.T) {
	t.Parallel()
	const file = "../deploy/debian/Caddyfile"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The credential exists in the service only.
	secret := filepath.Join(t.TempDir(), "smtp_url")
	if err := os.WriteFile(secret, []byte("smtp://localhost:25\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := bytes.ReplaceAll(text, []byte("/run/credentials/edgeauth.service/smtp_url"), []byte(secret))
	if bytes.Equal(changed, text) {
		t.Fatal("the Caddyfile does not read the credential smtp_url")
	}
	copied := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(copied, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	ports := validCaddyfile(t, copied, nil, func(host string) bool { return host == "localhost" })
	if !ports["443"] {
		t.Errorf("the Caddyfile listens on %v, want 443", ports)
	}
}

// TestDockerfile checks the Dockerfile without Docker.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	dockerfile := read("Dockerfile")
	version := regexp.MustCompile(`caddyserver/caddy/v2 v(\S+)`).FindStringSubmatch(read("newest.mod"))[1]
	// Its Go is the newest patch release; that of Caddy's builder may be older than go.mod requires.
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read("newest.mod"))[1]
	for _, want := range []string{
		"FROM --platform=$BUILDPLATFORM golang:" + language + "-alpine AS builder\n", "\nFROM caddy:" + version + "\n",
		"\nUSER 10001:10001\n", "\nVOLUME /data\n", "/edgeauth/health/ready", "-tags=nobadger,nomysql,nopgx",
	} {
		if !strings.Contains(dockerfile, want) {
			t.Errorf("the Dockerfile does not contain %q", want)
		}
	}
	if strings.Count(dockerfile, "\nVOLUME ") != 1 {
		t.Error("the Dockerfile has several volumes, want one")
	}
	// Each directory with a package of the server is in the context of the build.
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/edgeauth")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list failed: %v", err)
	}
	for path := range strings.FieldsSeq(string(out)) {
		folder, ours := strings.CutPrefix(path, "github.com/edgeauth/edgeauth/")
		for ignored := range strings.FieldsSeq(read(".dockerignore")) {
			if ours && (folder == ignored || strings.HasPrefix(folder, ignored+"/")) {
				t.Errorf(".dockerignore leaves out %s, which the server contains", folder)
			}
		}
	}
}

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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
	for _, want := range []string{
		"FROM --platform=$BUILDPLATFORM caddy:" + version + "-builder AS builder\n", "\nFROM caddy:" + version + "\n",
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

// TestKubernetes checks the example in deploy/kubernetes, and builds it if kustomize is
// installed.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	const folder = "../deploy/kubernetes"
	objects := map[string]map[string]any{}
	for _, name := range []string{"kustomization", "claim", "deployment", "networkpolicy", "service"} {
		var object map[string]any
		decodeYAML(t, filepath.Join(folder, name+".yaml"), &object)
		objects[name] = object
	}
	if got := at[[]any](t, objects["kustomization"], "resources"); len(got) != 4 {
		t.Errorf("the kustomization has the resources %v, want all four", got)
	}
	spec := at[map[string]any](t, objects["deployment"], "spec", "template", "spec")
	container := at[[]any](t, spec, "containers")[0].(map[string]any)
	if image := at[string](t, container, "image"); image != ownImage {
		t.Errorf("the image is %s, want %s", image, ownImage)
	}
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		want := "http://127.0.0.1:2019/edgeauth/health/live"
		if probe == "readinessProbe" {
			want = "http://127.0.0.1:2019/edgeauth/health/ready"
		}
		if command := at[[]any](t, container, probe, "exec", "command"); command[len(command)-1] != want {
			t.Errorf("%s runs %v, want %s", probe, command, want)
		}
	}
	if !at[bool](t, container, "securityContext", "readOnlyRootFilesystem") || !at[bool](t, spec, "securityContext", "runAsNonRoot") {
		t.Error("the container is not confined")
	}
	secret, err := os.ReadFile(filepath.Join(folder, "secret.example.env"))
	if err != nil {
		t.Fatal(err)
	}
	key, value, _ := strings.Cut(strings.TrimSpace(string(secret)), "=")
	ports := validCaddyfile(t, filepath.Join(folder, "Caddyfile"), map[string]string{key: value}, func(host string) bool { return host == "app" })
	port := at[[]any](t, container, "ports")[0].(map[string]any)
	if port["containerPort"] != 8080 || !ports["8080"] {
		t.Errorf("the container has the port %v, the Caddyfile listens on %v, want 8080", port["containerPort"], ports)
	}
	if target := at[[]any](t, objects["service"], "spec", "ports")[0].(map[string]any)["targetPort"]; target != port["name"] {
		t.Errorf("the service leads to the port %v, want %v", target, port["name"])
	}
	kustomize, err := exec.LookPath("kustomize")
	if err != nil {
		t.Logf("NOT TESTED: kustomize is not installed, so that %s was not built; `make kubernetes` builds it", folder)
		return
	}
	checkKustomized(t, kustomize, folder)
}

// checkKustomized checks the objects that kustomize writes.
func checkKustomized(t *testing.T, kustomize, folder string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), kustomize, "build", folder).Output()
	if err != nil {
		t.Fatalf("kustomize failed: %v", err)
	}
	names := map[string]string{}
	var deployment map[string]any
	for decoder := yaml.NewDecoder(bytes.NewReader(out)); ; {
		var object map[string]any
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		names[at[string](t, object, "kind")] = at[string](t, object, "metadata", "name")
		if object["kind"] == "Deployment" {
			deployment = object
		}
	}
	if len(names) != 6 {
		t.Fatalf("kustomize wrote %v, want 6 objects", names)
	}
	spec := at[map[string]any](t, deployment, "spec", "template", "spec")
	container := at[[]any](t, spec, "containers")[0].(map[string]any)
	if got := at[string](t, at[[]any](t, container, "envFrom")[0].(map[string]any), "secretRef", "name"); got != names["Secret"] {
		t.Errorf("the container reads the secret %s, want %s", got, names["Secret"])
	}
	if got := at[string](t, at[[]any](t, spec, "volumes")[0].(map[string]any), "configMap", "name"); got != names["ConfigMap"] {
		t.Errorf("the container mounts the config map %s, want %s", got, names["ConfigMap"])
	}
}

// at returns the value at a path of an object.
func at[T any](t *testing.T, object map[string]any, path ...string) T {
	t.Helper()
	var value any = object
	for _, name := range path {
		fields, ok := value.(map[string]any)
		if !ok {
			t.Fatalf("the object has no field %s", strings.Join(path, "."))
		}
		value = fields[name]
	}
	result, ok := value.(T)
	if !ok {
		t.Fatalf("the field %s is %T", strings.Join(path, "."), value)
	}
	return result
}

// TestUnits checks the systemd units: systemd accepts them, and they confine the server.
func TestUnits(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		missing(t, "systemd-analyze is not installed: %v", err)
	}
	root := t.TempDir()
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{
		"edgeauth.service":              "/usr/lib/systemd/system/edgeauth.service",
		"caddy.service.d/edgeauth.conf": "/etc/systemd/system/caddy.service.d/edgeauth.conf",
	} {
		text, err := os.ReadFile("../deploy/systemd/" + from)
		if err != nil {
			t.Fatal(err)
		}
		write(to, string(text), 0o644)
	}
	write("/usr/bin/edgeauth", "#!/bin/sh\n", 0o755)
	write("/usr/bin/caddy", "#!/bin/sh\n", 0o755)
	// The unit of Debian's package, as far as the drop-in needs it.
	write("/usr/lib/systemd/system/caddy.service", "[Service]\nType=notify\nUser=caddy\nGroup=caddy\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"+
		"ExecStart=/usr/bin/caddy run --environ --config /etc/caddy/Caddyfile\nPrivateTmp=true\n", 0o644)
	for _, unit := range []string{"edgeauth.service", "caddy.service"} {
		verify := exec.CommandContext(t.Context(), analyze, "--root="+root, "--man=no", "--recursive-errors=no", "verify", unit)
		if out, err := verify.CombinedOutput(); err != nil || bytes.Contains(out, []byte(unit)) || bytes.Contains(out, []byte("edgeauth.conf")) {
			t.Errorf("systemd-analyze verify %s: %v\n%s", unit, err, out)
		}
		// 10 is a service without any limits.
		security := exec.CommandContext(t.Context(), analyze, "security", "--root="+root, "--offline=yes", "--threshold=20", "--no-pager", unit)
		if out, err := security.CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze security %s: %v\n%s", unit, err, tail(out))
		}
	}
}

// tail returns the end of what a program printed.
func tail(out []byte) []byte { return out[max(0, len(out)-2000):] }

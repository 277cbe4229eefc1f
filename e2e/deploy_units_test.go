package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

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
	// It would remove all pods while the store is down, although they serve signed-in users.
	if container["readinessProbe"] != nil {
		t.Error("the container has a readiness probe, want none")
	}
	for _, probe := range []string{"startupProbe", "livenessProbe"} {
		want := "http://127.0.0.1:2019/edgeauth/health/live"
		if probe == "startupProbe" {
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
		// Without it, Caddy reports an error whenever it rotates a log file.
		if !strings.Contains(string(text), "\nSystemCallFilter=~@privileged @resources\n# Rotated log files get the owner of the former one.\nSystemCallFilter=@chown\n") {
			t.Errorf("%s does not allow @chown after it refuses @privileged", from)
		}
		// The package of caddy makes the second one for access logs.
		if strings.HasSuffix(from, ".conf") && !strings.Contains(string(text), "\nReadWritePaths=/var/lib/caddy -/var/log/caddy\n") {
			t.Errorf("%s does not allow writing the directories of Debian's package caddy", from)
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

// TestDashboardQueries checks the syntax of each query of the Grafana dashboard.
func TestDashboardQueries(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		missing(t, "promtool is not installed: %v", err)
	}
	text, err := os.ReadFile("../deploy/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	values := strings.NewReplacer("$__rate_interval", "5m", "${realm:pipe}", "()")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			rules = append(rules, rule{fmt.Sprintf("query:%d", len(rules)), values.Replace(target.Expr)})
		}
	}
	group := map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}}
	file := filepath.Join(t.TempDir(), "rules.json") // JSON is YAML, too
	if text, err = json.Marshal(group); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput()
	if err != nil || len(rules) == 0 {
		t.Errorf("promtool check rules of %d queries: %v\n%s", len(rules), err, out)
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// module is the path of the project's module.
const module = "github.com/edgeauth/edgeauth"

// stampedVariable receives the version from the linker.
const stampedVariable = module + "/caddymodule/command.stamped"

// server builds Caddy with the modules for a platform and writes the archive, the
// software bill of materials and, for Linux, the Debian package.
func (r *release) server(ctx context.Context, p platform) error {
	folder, err := os.MkdirTemp("", "edgeauth-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "edgeauth")
	if err := r.compile(ctx, p, binary); err != nil {
		return err
	}
	base := fmt.Sprintf("edgeauth_%s_%s_%s", strings.TrimPrefix(r.version, "v"), p.os, p.arch)
	if err := r.archive(p, binary, base); err != nil {
		return err
	}
	components, err := binaryModules(binary)
	if err != nil {
		return err
	}
	if err := r.writeBOM(base+".cdx.json", "edgeauth", binary, components); err != nil {
		return err
	}
	if p.os != "linux" {
		return nil
	}
	return r.deb(p, binary)
}

// compile builds the server. The environment that changes the result is fixed.
func (r *release) compile(ctx context.Context, p platform, output string) error {
	tags, err := r.tags()
	if err != nil {
		return err
	}
	report("building the server for %s", p)
	cmd := exec.CommandContext(ctx, "go", "build", "-modfile=newest.mod", "-trimpath", "-buildvcs=false", "-tags="+tags,
		"-ldflags=-s -w -X "+stampedVariable+"="+r.version, "-o", output, "./cmd/edgeauth")
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=",
		"GOAMD64=v1", "GOARM64=v8.0", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

var tagsFlag = regexp.MustCompile(`-tags=(\S+)`)

// tags returns the build tags of xcaddy.json, so that both builds have the same features.
func (r *release) tags() (string, error) {
	text, err := os.ReadFile(filepath.Join(r.root, "xcaddy.json"))
	if err != nil {
		return "", err
	}
	var config struct {
		BuildFlags string `json:"build_flags"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return "", fmt.Errorf("xcaddy.json: %w", err)
	}
	match := tagsFlag.FindStringSubmatch(config.BuildFlags)
	if match == nil {
		return "", errors.New("xcaddy.json: build_flags has no -tags")
	}
	return match[1], nil
}

// documents accompany the binary in an archive.
var documents = []string{"LICENSE", "README.md", "CHANGELOG.md", "Caddyfile.example"}

// archive writes the archive of a binary.
func (r *release) archive(p platform, binary, base string) error {
	data, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	entries := []entry{{base + "/edgeauth", 0o755, data}}
	if p.os == "windows" {
		entries[0].name += ".exe"
	}
	for _, name := range documents {
		text, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return err
		}
		entries = append(entries, entry{base + "/" + name, 0o644, text})
	}
	pack, extension := tarball, ".tar.gz"
	if p.os == "windows" {
		pack, extension = zipped, ".zip"
	}
	packed, err := pack(entries, r.time)
	if err != nil {
		return err
	}
	return r.write(base+extension, packed)
}

// write writes a file of the release.
func (r *release) write(name string, data []byte) error {
	report("%s: %d bytes", name, len(data))
	return os.WriteFile(filepath.Join(r.out, name), data, 0o644)
}

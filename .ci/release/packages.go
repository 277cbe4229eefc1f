package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// wasmFile is the gate as a WebAssembly module.
const wasmFile = "edgeauth-gate.wasm"

// wasm builds the gate and its bill of materials.
func (r *release) wasm(ctx context.Context) error {
	report("building the gate for WebAssembly")
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "wasm", fmt.Sprintf("BUILT=%d", r.time.Unix()))
	cmd.Dir = r.root
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	built := filepath.Join(r.root, "dist", wasmFile)
	data, err := os.ReadFile(built)
	if err != nil {
		return err
	}
	if err := r.write(wasmFile, data); err != nil {
		return err
	}
	components, err := r.wasmModules(ctx)
	if err != nil {
		return err
	}
	return r.writeBOM(wasmFile+".cdx.json", wasmFile, built, components)
}

// wasmModules lists the modules of the gate. The linker records them in a WebAssembly
// module as well, but debug/buildinfo does not read that format.
func (r *release) wasmModules(ctx context.Context) ([]component, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Module", "./wasm/guest")
	cmd.Dir = r.root
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	toolchain, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	components := []component{goModule("std", strings.TrimPrefix(strings.TrimSpace(string(toolchain)), "go"), "")}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var listed struct {
			Module *struct{ Path, Version, Sum string }
		}
		if err := decoder.Decode(&listed); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if listed.Module != nil && listed.Module.Path != module {
			components = append(components, goModule(listed.Module.Path, listed.Module.Version, listed.Module.Sum))
		}
	}
	slices.SortFunc(components, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	return slices.CompactFunc(components, func(a, b component) bool { return a.Ref == b.Ref }), nil
}

// npmPackage is a folder that is published to npm.
type npmPackage struct {
	folder string
	// built requires `npm run build` before it is packed, tools `npm ci` before that.
	built, tools bool
}

// The package wasm/js contains the gate, which is built first.
var npmPackages = []npmPackage{{"clients/js", true, true}, {"clients/node", false, false}, {"wasm/js", true, false}}

var packageVersion = regexp.MustCompile(`(?m)^(  "version": )"[^"]*"`)

// npm packs a copy of a package that has the version of the release.
func (r *release) npm(ctx context.Context, p npmPackage) error {
	folder := filepath.Join(r.root, filepath.FromSlash(p.folder))
	if p.tools && !exists(filepath.Join(folder, "node_modules")) {
		if err := command(ctx, folder, "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"); err != nil {
			return err
		}
	}
	if p.built {
		if err := command(ctx, folder, "npm", "run", "--silent", "build"); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		return err
	}
	text = packageVersion.ReplaceAll(text, []byte(`${1}"`+strings.TrimPrefix(r.version, "v")+`"`))
	var described struct {
		Name, Version string
		Files         []string
	}
	if err := json.Unmarshal(text, &described); err != nil {
		return fmt.Errorf("package.json: %w", err)
	}
	copied, err := os.MkdirTemp("", "edgeauth-npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(copied)
	for _, name := range described.Files {
		if err := copyPath(filepath.Join(folder, name), filepath.Join(copied, name)); err != nil {
			return err
		}
	}
	if readme := filepath.Join(folder, "README.md"); exists(readme) {
		if err := copyPath(readme, filepath.Join(copied, "README.md")); err != nil {
			return err
		}
	}
	if err := copyPath(filepath.Join(r.root, "LICENSE"), filepath.Join(copied, "LICENSE")); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(copied, "package.json"), text, 0o644); err != nil {
		return err
	}
	report("packing %s %s", described.Name, described.Version)
	return command(ctx, copied, "npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", r.out)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// copyPath copies a file, or a folder with the files in it.
func copyPath(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

func command(ctx context.Context, folder, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = folder
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return nil
}

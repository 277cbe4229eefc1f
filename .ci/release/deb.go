package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers the format
	"github.com/goreleaser/nfpm/v2/files"
)

// debConfig describes the Debian package.
const debConfig = "deploy/debian/nfpm.yaml"

// deb writes the Debian package of a binary. The paths of its configuration are relative
// to the working directory, which is the project.
func (r *release) deb(p platform, binary string) error {
	text, err := os.ReadFile(filepath.Join(r.root, debConfig))
	if err != nil {
		return err
	}
	values := map[string]string{"ARCH": p.arch, "VERSION": strings.TrimPrefix(r.version, "v"), "BINARY": binary}
	config, err := nfpm.ParseWithEnvMapping(bytes.NewReader(text), func(name string) string { return values[name] })
	if err != nil {
		return fmt.Errorf("%s: %w", debConfig, err)
	}
	info, err := config.Get("deb")
	if err != nil {
		return err
	}
	info.MTime = r.time
	for _, content := range info.Contents {
		if content.FileInfo == nil {
			content.FileInfo = &files.ContentFileInfo{}
		}
		content.FileInfo.MTime = r.time
	}
	packager, err := nfpm.Get("deb")
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	if err := packager.Package(info, &packed); err != nil {
		return fmt.Errorf("%s: %w", debConfig, err)
	}
	return r.write(packager.ConventionalFileName(info), packed.Bytes())
}

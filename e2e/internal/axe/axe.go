package axe

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/edgeauth/edgeauth/e2e/internal/npm"
)

//go:embed package
var files embed.FS

// Script installs axe-core once for each version and returns its source.
func Script(ctx context.Context) (string, error) {
	pinned, err := fs.Sub(files, "package")
	if err != nil {
		return "", err
	}
	folder, err := npm.Install(ctx, "axe-core", pinned)
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	return string(source), err
}

// Package clients runs libraries of other projects with which frontends call the
// login API: satellizer, axios-auth-refresh, ky, oauth4webapi and AppAuth.
package clients

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/edgeauth/edgeauth/e2e/internal/npm"
)

//go:embed node
var node embed.FS

// Names lists the libraries.
func Names() []string {
	return []string{"satellizer", "axios-auth-refresh", "ky", "oauth4webapi", "appauth"}
}

// Install installs the libraries and returns their folder.
func Install(ctx context.Context) (string, error) {
	files, err := fs.Sub(node, "node")
	if err != nil {
		return "", err
	}
	return npm.Install(ctx, "clients", files)
}

// Run runs the script of a library with variables such as API=http://127.0.0.1:8080,
// and returns its error with everything that it printed.
func Run(ctx context.Context, folder, name string, env ...string) error {
	command := exec.CommandContext(ctx, "node", "clients.mjs", name)
	command.Dir, command.Env = folder, append(os.Environ(), env...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return nil
}

package clients

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"github.com/evanw/esbuild/pkg/api"

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

// AxiosPage compiles the script of a page that calls the API with axios and
// axios-auth-refresh, as the latter's README configures it. The query of the page has the
// address of the API as "api".
func AxiosPage(folder string) ([]byte, error) {
	source, err := node.ReadFile("node/axios-page.mjs")
	if err != nil {
		return nil, err
	}
	// By its name it would be a module of Node.js, which imports CommonJS in another way
	// than bundlers for pages do.
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: string(source), ResolveDir: folder},
		Bundle: true, Format: api.FormatESModule, Target: api.ES2022, Platform: api.PlatformBrowser,
	})
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("compile axios-page.mjs: %v", result.Errors)
	}
	return result.OutputFiles[0].Contents, nil
}

// Run runs the script of a library with variables such as API=http://127.0.0.1:8080,
// and returns its error with everything that it printed.
func Run(ctx context.Context, folder, name string, env ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "clients.mjs", name)
	command.WaitDelay = time.Second
	command.Dir, command.Env = folder, append(os.Environ(), env...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	return nil
}

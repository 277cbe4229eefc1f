package playwright

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/npm"
)

//go:embed node/*.json node/.npmrc node/run.mjs
var node embed.FS

// Install installs Playwright, without browsers, and returns its folder.
func Install(ctx context.Context) (string, error) {
	files, err := fs.Sub(node, "node")
	if err != nil {
		return "", err
	}
	return npm.Install(ctx, "playwright", files)
}

// Run runs the tests with variables such as SITE=http://localhost:8080, and returns their
// error with everything that they printed.
func Run(ctx context.Context, folder string, env ...string) error {
	command := exec.CommandContext(ctx, "node", "run.mjs")
	command.WaitDelay = time.Second
	command.Dir, command.Env = folder, append(os.Environ(), env...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("run.mjs: %w\n%s", err, output)
	}
	return nil
}

package npm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Install copies files to a folder in the user's cache, runs `npm ci` there, and
// returns the folder. The folder is made once for each content of the files, which
// include package.json and package-lock.json. No script of a package runs. Install
// fails if node or npm are missing or older than the packages need, or if packages cannot
// be downloaded. Optional packages are left out unless flags contain
// "--include=optional". It is safe for concurrent use, also by several processes.
func Install(ctx context.Context, name string, files fs.FS, flags ...string) (string, error) {
	if err := checkPrograms(ctx); err != nil {
		return "", err
	}
	sum, err := digest(files)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "edgeauth-e2e")
	folder := filepath.Join(cache, name+"-"+sum)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	if err := os.CopyFS(fresh, files); err != nil {
		return "", err
	}
	arguments := append([]string{"ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional"}, flags...)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", arguments...)
	install.WaitDelay = time.Second
	install.Dir = fresh
	if output, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, output)
	}
	err = os.Rename(fresh, folder)
	if _, there := os.Stat(folder); there == nil {
		return folder, nil // another process was faster
	}
	return folder, err
}

// oldestNode is the oldest major version of Node.js that Playwright and jose work with.
const oldestNode = 20

func checkPrograms(ctx context.Context) error {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed", program)
		}
	}
	version, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return fmt.Errorf("node --version: %w", err)
	}
	major := 0
	if _, err := fmt.Sscanf(string(version), "v%d.", &major); err != nil || major < oldestNode {
		return fmt.Errorf("the tests need Node.js %d or newer, and this is %q", oldestNode, bytes.TrimSpace(version))
	}
	return nil
}

// digest returns a short hash of all files with their names.
func digest(files fs.FS) (string, error) {
	sum, found := sha256.New(), false
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		found = found || path == "package-lock.json"
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err == nil && !found {
		err = errors.New("there is no package-lock.json")
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}

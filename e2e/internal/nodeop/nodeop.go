// Package nodeop runs npm's oidc-provider, an OpenID provider that is independent of
// the libraries of the other tests.
package nodeop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/openid"
)

//go:embed server
var server embed.FS

// Options of a Provider. There is one client and one person.
type Options struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
	// Person contains the claims about the signed-in user.
	Person map[string]any `json:"person"`
}

// Provider is a running provider.
type Provider struct {
	Issuer string
	client *http.Client
}

// Install puts the provider and what it needs into the user's cache, once for
// each version, and returns the folder. It fails if node or npm are missing, or if
// packages cannot be downloaded.
func Install(ctx context.Context) (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%s is not installed", program)
		}
	}
	files, err := fs.Sub(server, "server")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", "server.mjs"} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return "", err
		}
		sum.Write(text)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "edgeauth-e2e")
	folder := filepath.Join(cache, "oidc-provider-"+hex.EncodeToString(sum.Sum(nil)[:8]))
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
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional")
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

// Start starts the provider that is installed in folder at a loopback address,
// over plain HTTP.
func Start(t testing.TB, folder string, options Options) *Provider {
	t.Helper()
	config, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "server.mjs")
	cmd.Dir = folder
	cmd.WaitDelay = 5 * time.Second
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close() // ends it
		_, _ = io.Copy(io.Discard, output)
		_ = cmd.Wait()
	})
	if _, err := input.Write(append(config, '\n')); err != nil {
		t.Fatal(err)
	}
	issuer, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		_ = input.Close()
		err = errors.Join(err, cmd.Wait())
		t.Fatalf("oidc-provider does not start: %v\n%s", err, complaints.String())
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &Provider{Issuer: strings.TrimSpace(issuer), client: &http.Client{Transport: transport, Jar: jar}}
}

// Browse opens an authorize URL as a browser does and returns the parameters
// with which the provider sends it back to redirectURI.
func (p *Provider) Browse(t testing.TB, authorizeURL, redirectURI string) url.Values {
	t.Helper()
	return openid.Browse(t, p.client, authorizeURL, redirectURI)
}

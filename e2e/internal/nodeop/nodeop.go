package nodeop

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/e2e/internal/npm"
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

// Install installs the provider once for each version and returns the folder.
func Install(ctx context.Context) (string, error) {
	files, err := fs.Sub(server, "server")
	if err != nil {
		return "", err
	}
	return npm.Install(ctx, "oidc-provider", files)
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
	limit := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	issuer, err := bufio.NewReader(output).ReadString('\n')
	limit.Stop()
	if err != nil {
		_ = input.Close()
		err = errors.Join(err, cmd.Wait())
		t.Fatalf("oidc-provider does not start within a minute: %v\n%s", err, complaints.String())
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

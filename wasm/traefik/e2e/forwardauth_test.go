package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// The recipe for Traefik's ForwardAuth contains only options that Traefik knows, and its
// parts refer to each other.
func TestForwardAuthRecipe(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "examples", "forward-auth", "traefik.yml"))
	if err != nil {
		t.Fatalf("os.ReadFile = %v", err)
	}
	if strings.Contains(string(text), "trustForwardHeader") { // clients could choose their address
		t.Error("the recipe sets trustForwardHeader, want Traefik's default")
	}
	recipe := decode(t, string(text)).HTTP
	forward := recipe.Middlewares["edgeauth"].ForwardAuth
	if forward == nil || forward.Address != "https://api.example.com/v1/auth/verify/" ||
		!slices.Equal(forward.AuthResponseHeaders, gate.Headers) || forward.TLS != nil {
		t.Errorf("forwardAuth = %+v, want the address of verify, all identity headers, and a verified certificate", forward)
	}
	dropped := recipe.Middlewares["drop-credentials"].Headers.CustomRequestHeaders
	for _, name := range []string{"Authorization", "Cookie"} {
		if value, set := dropped[name]; !set || value != "" {
			t.Errorf("the recipe sets %s to %q, %t, want its removal", name, value, set)
		}
	}
	for name, router := range recipe.Routers {
		if recipe.Services[router.Service] == nil {
			t.Errorf("router %s: there is no service %q", name, router.Service)
		}
		for _, used := range router.Middlewares {
			if recipe.Middlewares[used] == nil {
				t.Errorf("router %s: there is no middleware %q", name, used)
			}
		}
	}
	if guarded := recipe.Routers["application"].Middlewares; len(guarded) == 0 || guarded[0] != "edgeauth" {
		t.Errorf("the application has the middlewares %v, want edgeauth first", guarded)
	}
}

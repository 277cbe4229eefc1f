package applications

import (
	"os"
	"testing"
)

// TestStart starts each application; start waits until it serves.
func TestStart(t *testing.T) {
	if err := Missing(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED: %v", err)
	}
	for name, run := range map[string]func(testing.TB) Application{
		"Radicale": Radicale, "Prometheus": Prometheus, "NodeRED": NodeRED, "Verdaccio": Verdaccio, "MailDev": MailDev,
		"Django": func(t testing.TB) Application { return Django(t, "https://app.example.com") },
	} {
		t.Run(name, func(t *testing.T) {
			if app := run(t); app.Address == "" {
				t.Errorf("%s() = %+v, want an address", name, app)
			}
		})
	}
}

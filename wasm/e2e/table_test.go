package e2e

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// failing is a source of randomness that has none.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no randomness here") }

// The table, under every kind of host: as Traefik runs plugins (with the constant
// randomness that is the default of the runtime), without a clock, without
// randomness, and with a runtime that ends calls whose context is done.
func TestTable(t *testing.T) {
	var now time.Time
	clock := at(&now)
	for _, h := range []host{
		{name: "as Traefik", module: clock},
		{name: "without clock", noClock: true},
		{name: "without random", module: func(c wazero.ModuleConfig) wazero.ModuleConfig { return clock(c).WithRandSource(failing{}) }},
		{name: "with context done", module: clock, runtime: wazero.NewRuntimeConfig().WithCloseOnContextDone(true)},
	} {
		t.Run(h.name, func(t *testing.T) {
			upstream := gatecase.NewServer(t)
			proxy := proxyTo(t, upstream.URL)
			gates := map[string]string{} // the address for each configuration
			for _, c := range gatecase.Load(t) {
				if h.noClock {
					c.Unavailable()
				}
				config := string(c.ConfigJSON(t))
				if gates[config] == "" {
					server := httptest.NewServer(h.start(t, module, []byte(config), proxy))
					t.Cleanup(server.Close)
					gates[config] = server.Listener.Addr().String()
				}
				t.Run(c.Name, func(t *testing.T) {
					now = c.Time
					upstream.Check(t, gates[config], c)
				})
			}
		})
	}
}

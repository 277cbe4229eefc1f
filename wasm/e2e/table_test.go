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
			// One configuration after the other: the instances of all of them at
			// once take more than a gigabyte.
			for config, cases := range byConfig(t, gatecase.Load(t)) {
				t.Run("", func(t *testing.T) {
					server := httptest.NewServer(h.start(t, module, []byte(config), proxy))
					t.Cleanup(server.Close)
					for _, c := range cases {
						if h.noClock {
							c.Unavailable()
						}
						t.Run(c.Name, func(t *testing.T) {
							now = c.Time
							upstream.Check(t, server.Listener.Addr().String(), c)
						})
					}
				})
			}
		})
	}
}

// byConfig puts cases with the same configuration together.
func byConfig(t *testing.T, cases []*gatecase.Case) map[string][]*gatecase.Case {
	t.Helper()
	groups := map[string][]*gatecase.Case{}
	for _, c := range cases {
		config := string(c.ConfigJSON(t))
		groups[config] = append(groups[config], c)
	}
	return groups
}

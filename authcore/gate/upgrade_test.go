package gate_test

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestIsTunnel(t *testing.T) {
	for value, want := range map[string]bool{
		"h2c": true, "H2C": true, " h2c\t": true, "websocket, h2c": true, "h2c,websocket": true, "h2c/1": true,
		"HTTP/2.0": true, "TLS/1.0": true, "": false, "websocket": false, "WebSocket": false, "SPDY/3.1": false, "tcp": false, "h2": false,
	} {
		if got := gate.IsTunnel([]string{value}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	if !gate.IsTunnel([]string{"websocket", "h2c"}) || gate.IsTunnel(nil) {
		t.Error("several headers, or none")
	}
}

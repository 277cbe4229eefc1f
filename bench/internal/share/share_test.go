package share

import "testing"

// Frames are in the order of a profile, the innermost function first.
func TestPart(t *testing.T) {
	const (
		handler = "github.com/edgeauth/edgeauth/caddymodule.(*TokenAuth).ServeHTTP"
		next    = "github.com/caddyserver/caddy/v2/modules/caddyhttp.HandlerFunc.ServeHTTP"
	)
	for _, test := range []struct {
		frames []string
		want   string
	}{
		{[]string{"crypto/ed25519.Verify", "gate.(*verifyKey).verify", handler, next}, signature},
		{[]string{"crypto/sha256.Sum256", "gate.(*Verifier).Verify", handler, next}, gate},
		{[]string{handler, next}, gate},
		{[]string{"net/http.Header.Clone", "reverseproxy.cloneRequest", next, handler, next}, proxy},
		{[]string{"internal/runtime/syscall/linux.Syscall6", "reverseproxy.(*Handler).ServeHTTP", next, handler}, kernel},
		{[]string{"runtime.scanobject", "runtime.gcBgMarkWorker"}, garbage},
		{[]string{"go.etcd.io/bbolt.(*Tx).Commit", "storage/bolt.(*writer).finish"}, writing},
		{[]string{"net/http.readRequest", "net/http.(*conn).serve"}, server},
		{nil, other},
	} {
		if got := part(test.frames); got != test.want {
			t.Errorf("%q: %q, want %q", test.frames, got, test.want)
		}
	}
}

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/internal/gatecase"
)

// The effects of missing guards of rails_test.go: each test removes one from the source,
// runs that module, and expects the failure.

// Without recover a panic ends the program. The host then answers 500 with the stack of
// the module (CWE-209).
func TestRecoverMatters(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	c := find(t, "a good token")
	c.Request.Method = "PANIC"
	code := mutant(t, faulty, edit{"wasm/guest/main.go", "if recover() != nil {", "if false {"})
	address := serve(t, &host{module: at(&now)}, code, c.ConfigJSON(t), gatecase.NewServer(t))
	got := gatecase.Send(t, address, c)
	if got.Status != http.StatusInternalServerError || !strings.Contains(got.Body, "wasm stack trace") {
		t.Errorf("the answer is %d %s, want 500 with a stack", got.Status, got.Body)
	}
}

// Without the limits of the guest and of the gate, 900 kB of blanks before a token are
// read, copied and searched, and the memory of the instance grows permanently.
func TestLimitOfAuthorizationMatters(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	careless := mutant(t,
		edit{"wasm/guest/host.go", "maxValues = gate.MaxAuthorization + 1", "maxValues = 1 << 30"},
		edit{"authcore/gate/authorization.go", "len(values[0]) > MaxAuthorization", "false"})
	grown := func(code []byte, change func(*gatecase.Case)) uint64 {
		c := find(t, "a good token")
		memory := &sizes{}
		address := serve(t, &host{module: at(&now)}, code, c.ConfigJSON(t), upstream, memory.option(t))
		upstream.Check(t, address, c)
		before := memory.largest()
		c.Request.Headers[0][1] = strings.Replace(c.Request.Headers[0][1], " ", strings.Repeat(" ", 900_000), 1)
		change(c)
		for range 20 {
			upstream.Check(t, address, c)
			memory.largest()
		}
		return memory.largest() - before
	}
	if n := grown(careless, func(*gatecase.Case) {}); n <= someSteps {
		t.Errorf("without the limits the memory of the guest grew by only %d bytes", n)
	}
	refused := find(t, "more than 8 KiB")
	if n := grown(module, func(c *gatecase.Case) { c.Upstream, c.Answer = nil, refused.Answer }); n > someSteps {
		t.Errorf("with the limits the memory of the guest grew by %d bytes, want %d at the most", n, someSteps)
	}
}

// A module that lets requests proceed without a configuration, as some middleware does,
// protects nothing if the configuration has a fault.
func TestUnconfiguredMatters(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	open := mutant(t, edit{"wasm/guest/request.go", "return refuse(gate.Unavailable(errNotConfigured))", "_ = errNotConfigured; return proceed"})
	c := find(t, "no header")
	c.Upstream, c.Answer = &gatecase.Upstream{}, gatecase.Answer{Status: http.StatusOK, Body: "upstream"}
	upstream.Check(t, serve(t, &host{module: at(&now)}, open, []byte("{}"), upstream), c)
}

// Without the check a key set with a private key works like any other, and the exposed
// key is not noticed.
func TestPrivateKeysMatter(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	upstream := gatecase.NewServer(t)
	trusting := mutant(t, edit{"authcore/gate/jwks.go", `case private || j.Type == "oct":`, `case private && j.Type == "oct":`})
	c := find(t, "a good token")
	keys, _ := c.Config["keys"].(map[string]any)["keys"].([]any)
	for _, key := range keys {
		key.(map[string]any)["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	}
	if len(keys) == 0 {
		t.Fatal("the configuration has no keys")
	}
	upstream.Check(t, serve(t, &host{module: at(&now)}, trusting, c.ConfigJSON(t), upstream), c)
	c.Unavailable()
	upstream.Check(t, serve(t, &host{module: at(&now)}, module, c.ConfigJSON(t), upstream), c)
}

// A module that reads a body takes it from the upstream: the host forwards the rest of
// the stream. TestImports detects such a module.
func TestBodiesMatter(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	curious := mutant(t,
		edit{"wasm/guest/abi.go", "//go:wasmimport http_handler get_method\n", "//go:wasmimport http_handler read_body\n" +
			"func hostReadBody(kind uint32, buf unsafe.Pointer, limit uint32) (eofLength uint64)\n\n//go:wasmimport http_handler get_method\n"},
		edit{"wasm/guest/request.go", deciding, "	hostReadBody(kindRequest, pointer(string(make([]byte, 5))), 5)\n" + deciding})
	if got := excess(compile(t, curious)); !slices.Equal(got, []string{"http_handler read_body"}) {
		t.Errorf("excess = %q, want read_body", got)
	}
	c := find(t, "a good token")
	for want, code := range map[string][]byte{"first and second": module, " and second": curious} {
		var got []byte
		gated := (&host{module: at(&now)}).start(t, code, c.ConfigJSON(t), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got, _ = io.ReadAll(r.Body)
		}))
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("first and second"))
		r.Header.Set("Authorization", c.Request.Headers[0][1])
		gated.ServeHTTP(httptest.NewRecorder(), r)
		if string(got) != want {
			t.Errorf("the upstream read %q, want %q", got, want)
		}
	}
}

// A module that made a secret would make the same one on every edge, and on that of an
// attacker: the default randomness of the host is constant, and Traefik does not change
// it. TestNoMinting detects such a module.
func TestRandomnessMatters(t *testing.T) {
	now := built.AddDate(1, 0, 0)
	minter := mutant(t,
		edit{"wasm/guest/request.go", deciding, "	secret := make([]byte, 16)\n	rand.Read(secret)\n" +
			"	apply([]edge.Change{{Kind: edge.AnswerSet, Name: \"X-Secret\", Value: hex.EncodeToString(secret)}})\n" + deciding},
		edit{"wasm/guest/request.go", "import (\n", "import (\n	\"crypto/rand\"\n	\"encoding/hex\"\n"})
	if got := minting(minter); !slices.Contains(got, "crypto/rand.Read") {
		t.Errorf("minting = %q, want crypto/rand.Read", got)
	}
	c := find(t, "a good token")
	var secrets []string
	for range 2 {
		gated := (&host{module: at(&now)}).start(t, minter, c.ConfigJSON(t), http.NotFoundHandler())
		w := httptest.NewRecorder()
		gated.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		secrets = append(secrets, w.Header().Get("X-Secret"))
	}
	if secrets[0] == "" || secrets[0] != secrets[1] {
		t.Errorf("two hosts made the secrets %q, want equal ones", secrets)
	}
}

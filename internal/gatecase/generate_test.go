package gatecase

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// update writes the generated files instead of comparing them.
var update = flag.Bool("update", false, "write testdata/gate/tokens.json and base.json")

// The tokens in the table are derived from the keys, so that the file need not be
// trusted.
func TestGeneratedFiles(t *testing.T) {
	for name, value := range map[string]any{"tokens.json": MakeTokens(t), "base.json": commonBase(t)} {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			t.Fatalf("encoder.Encode = %v", err)
		}
		path := filepath.Join(Dir(), name)
		if *update {
			if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
				t.Fatalf("os.WriteFile = %v", err)
			}
			continue
		}
		if written, err := os.ReadFile(path); err != nil || !bytes.Equal(written, text.Bytes()) {
			t.Errorf("%s differs from the generated content; write it with -update (%v)", name, err)
		}
	}
}

func commonBase(t *testing.T) any {
	t.Helper()
	keys := Keys(t)
	set, err := gate.NewKeySet(keys["ed25519"].Key, keys["p256"].Key, keys["rsa"].Key)
	if err != nil {
		t.Fatalf("gate.NewKeySet = %v", err)
	}
	return map[string]any{
		"time":   clock,
		"config": map[string]any{"issuer": Issuer, "audience": Audience, "keys": json.RawMessage(set.JWKS())},
	}
}

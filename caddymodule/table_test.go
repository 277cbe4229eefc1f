package caddymodule

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/gatecase"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func init() {
	caddy.RegisterModule(new(tableStorage))
}

// tableStorage is a store with the keys of the table, and revocations.
type tableStorage struct {
	*memory.Store `json:"-"`

	Keys        []authcore.SigningKey `json:"keys"`
	Revocations []authcore.Revocation `json:"revocations"`
}

func (*tableStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.table", New: func() caddy.Module { return new(tableStorage) }}
}

func (s *tableStorage) OpenStorage(ctx context.Context, _ string) (authcore.Store, func() error, error) {
	s.Store = memory.New()
	_, err := s.UpdateKeys(ctx, func([]authcore.SigningKey) ([]authcore.SigningKey, error) { return s.Keys, nil })
	return s, func() error { return nil }, err
}

func (s *tableStorage) RevocationsSince(_ context.Context, cursor string) ([]authcore.Revocation, string, error) {
	if cursor != "" {
		return nil, cursor, nil
	}
	return s.Revocations, "all", nil
}

// Caddy answers as the table specifies. Cases with options that Caddy configures in
// another way, or that need an exact clock, are left out.
func TestTable(t *testing.T) {
	keys := tableKeys(t)
	upstream := gatecase.NewServer(t)
	s := setup{
		Port: freePort(t), LoginAPI: "# no login", Site: "token_auth\nreverse_proxy " + upstream.Listener.Addr().String(),
		Realm:  "issuer " + gatecase.Issuer + "\naudience " + gatecase.Audience + "\nmailer log\napi_keys users\nstorage memory\nclient ios ios-client-key-of-tests {\n}",
		Client: "",
	}
	loaded, ran := "", 0
	for _, c := range gatecase.Load(t) {
		if c.ExactTime || c.ForGuests() {
			continue
		}
		ran++
		if config := string(c.ConfigJSON(t)); config != loaded {
			loadCase(t, s, c, keys)
			loaded = config
		}
		t.Run(c.Name, func(t *testing.T) { upstream.Check(t, "127.0.0.1:"+s.Port, c) })
	}
	if ran < 240 {
		t.Errorf("only %d cases", ran)
	}
}

// tableKeys returns the keys of the table in stored form.
func tableKeys(t *testing.T) []authcore.SigningKey {
	t.Helper()
	known := gatecase.Keys(t)
	begin := time.Now().Add(-time.Hour)
	var keys []authcore.SigningKey
	for _, name := range []string{"rsa", "p256", "ed25519"} { // the last one signs
		key := authcore.SigningKey{
			ID: known[name].Key.ID, Algorithm: known[name].Key.Algorithm, Private: known[name].PKCS8(t), Created: begin, Signs: begin,
		}
		if name != "ed25519" {
			key.Expires = time.Now().Add(24 * time.Hour)
		}
		keys = append(keys, key)
	}
	return keys
}

// loadCase runs Caddy with the configuration of a case.
func loadCase(t *testing.T, s setup, c *gatecase.Case, keys []authcore.SigningKey) {
	t.Helper()
	adapted, err := adapt(s.caddyfile())
	if err != nil {
		t.Fatal(err)
	}
	storage, err := json.Marshal(map[string]any{"module": "table", "keys": keys, "revocations": c.Config["revocations"]})
	if err != nil {
		t.Fatal(err)
	}
	gate := map[string]any{"handler": "token_auth"}
	for _, name := range []string{"public", "optional", "require", "max_age", "headers", "forward_token", "login_page", "origin", "keys_basic", "schemes"} {
		if value, ok := c.Config[name]; ok {
			gate[name] = value
		}
	}
	if use, ok := c.Config["api_keys"]; ok {
		gate["keys"] = use
	}
	var config any
	if err := json.Unmarshal(adapted, &config); err != nil {
		t.Fatal(err)
	}
	config = replaced(config, func(object map[string]any) any {
		switch {
		case object["handler"] == "token_auth":
			return gate
		case object["module"] == "memory":
			return json.RawMessage(storage)
		case object["match"] != nil:
			delete(object, "match") // of the site's host
		case object["origins"] != nil:
			object["origins"] = c.Config["origins"]
		}
		return nil
	})
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = caddy.Stop() })
	if err := caddy.Load(text, true); err != nil {
		t.Fatal(err)
	}
	awaitNewServer(t, s.Port)
}

// awaitNewServer waits for an answer. The server before the reload may still accept one
// connection, which it closes.
func awaitNewServer(t *testing.T, port string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	for range 10 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := transport.RoundTrip(request); err == nil {
			_ = response.Body.Close()
			return
		}
	}
	t.Fatal("the server does not answer after the reload")
}

// replaced replaces objects recursively.
func replaced(value any, other func(map[string]any) any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = replaced(value[i], other)
		}
	case map[string]any:
		if instead := other(value); instead != nil {
			return instead
		}
		for name := range value {
			value[name] = replaced(value[name], other)
		}
	}
	return value
}

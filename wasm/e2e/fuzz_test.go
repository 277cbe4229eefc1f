package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/gatecase"
	"github.com/edgeauth/edgeauth/wasm/config"
	"github.com/edgeauth/edgeauth/wasm/edge"
)

// outcome is the result of a gate for a request.
type outcome struct {
	Status    int
	Body      string
	Answer    http.Header
	Forwarded http.Header // nil if the request did not proceed
}

// native decides with the gate as Go code.
func native(e *edge.Edge, r *http.Request, now time.Time) (o outcome) {
	o.Answer = http.Header{}
	header := gate.Header(r.Header.Clone())
	new(gate.Site).Clean(header)
	hasBody := header["Content-Length"] != nil && !slices.Equal(header["Content-Length"], []string{"0"}) || header["Transfer-Encoding"] != nil
	d := e.Decide(gate.Request{Method: r.Method, Header: header, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, HasBody: hasBody, Now: now})
	if d.Status != 0 {
		d.Answer(gate.Header(o.Answer))
		o.Status, o.Body = d.Status, d.Body
		return o
	}
	d.Complete(gate.Header(o.Answer))
	e.Forward(&d, header)
	o.Status, o.Forwarded = http.StatusOK, http.Header(header)
	return o
}

// foreign sends a request to the module.
func foreign(module func(next http.Handler) http.Handler, r *http.Request) (o outcome) {
	recorder := httptest.NewRecorder()
	module(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { o.Forwarded = r.Header })).ServeHTTP(recorder, r)
	o.Status, o.Body, o.Answer = recorder.Code, recorder.Body.String(), recorder.Header()
	return o
}

// FuzzGuest compares the module with the gate as Go code, for requests that are
// derived from those of the table.
func FuzzGuest(f *testing.F) {
	now := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	settings := []string{
		`{}`, `{"optional":true,"forward_token":true,"headers":["all"]}`, `{"public":["/static/*","/health"],"origins":["https://frontend.app"]}`,
		`{"require":[{"field":"client","values":["web"]}],"max_age":"36500d","cache_size":8}`,
		`{"revocations":[{"kind":"session","id":"` + gatecase.Session + `"}]}`,
		`{"login_page":"/auth","origin":"https://app.example.com","origins":["https://frontend.app"],"api_keys":"on","keys_basic":true}`,
	}
	gates := newPairs(f, settings, now)
	for i, c := range gatecase.Load(f) {
		var lines strings.Builder
		for _, header := range c.Request.Headers {
			fmt.Fprintf(&lines, "%s: %s\n", header[0], header[1])
		}
		f.Add(uint8(i), c.Request.Method, c.Request.Path, lines.String())
	}
	for which := range settings {
		f.Add(uint8(which), http.MethodGet, "/health", "Connection: Upgrade\nUpgrade: websocket\nUpgrade: foo, h2c\n")
	}
	f.Fuzz(func(t *testing.T, which uint8, method, path, lines string) {
		r := request(method, path, lines)
		if r == nil {
			return
		}
		pair := gates[int(which)%len(gates)]
		for range 2 { // once without and once from the caches and the memo
			want := native(pair.native, r, now)
			got := foreign(pair.module, r.Clone(t.Context()))
			if text(t, got) != text(t, want) {
				t.Fatalf("%s %s\n%s\nthe module gives %s\nthe gate gives   %s", method, path, lines, text(t, got), text(t, want))
			}
		}
	})
}

type pair struct {
	native *edge.Edge
	module func(next http.Handler) http.Handler
}

// newPairs makes both gates for each configuration.
func newPairs(f *testing.F, settings []string, now time.Time) []pair {
	f.Helper()
	base := gatecase.Load(f)[0].Config
	var pairs []pair
	for _, text := range settings {
		members := map[string]any{"issuer": base["issuer"], "audience": base["audience"], "keys": base["keys"]}
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			f.Fatalf("Unmarshal(%s) = %v", text, err)
		}
		data, err := json.Marshal(members)
		if err != nil {
			f.Fatalf("Marshal = %v", err)
		}
		cfg, err := config.Parse(data)
		if err != nil {
			f.Fatalf("config.Parse(%s) = %v", data, err)
		}
		var next http.Handler
		module := (&host{module: at(&now)}).start(f, module, data, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) }))
		pairs = append(pairs, pair{
			native: edge.New(cfg, nil, func(string) {}),
			module: func(handler http.Handler) http.Handler { next = handler; return module },
		})
	}
	return pairs
}

// request returns a request as net/http would pass it on, or nil if it would refuse
// it.
func request(method, path, lines string) *http.Request {
	if strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") != "" || method == "" || !strings.HasPrefix(path, "/") {
		return nil
	}
	r, err := http.NewRequest(method, "http://gate.example.com", nil)
	if err != nil {
		return nil
	}
	if r.URL, err = r.URL.Parse(path); err != nil || r.URL.Host != "gate.example.com" {
		return nil
	}
	for line := range strings.SplitSeq(lines, "\n") {
		name, value, found := strings.Cut(line, ":")
		if !found || strings.Trim(name, "!#$%&'*+-.^_`|~ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" || name == "" ||
			strings.ContainsAny(value, "\x00\r") || strings.HasPrefix(name, http.TrailerPrefix) || strings.EqualFold(name, "host") {
			continue
		}
		r.Header.Add(textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " \t"))
	}
	return r
}

func text(t *testing.T, o outcome) string {
	t.Helper()
	data, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		t.Fatalf("MarshalIndent = %v", err)
	}
	return string(data)
}

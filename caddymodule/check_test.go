package caddymodule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/provider"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

func init() {
	caddy.RegisterModule(new(triedProvider))
	caddy.RegisterModule(new(triedStorage))
}

// triedStorage is a storage of the tests whose servers have clocks.
type triedStorage struct {
	Clocks map[string]caddy.Duration `json:"clocks,omitempty"`
}

func (*triedStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.tried", New: func() caddy.Module { return new(triedStorage) }}
}

// UnmarshalCaddyfile takes server and skew in turn.
func (s *triedStorage) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	s.Clocks = map[string]caddy.Duration{}
	for d.NextArg() {
		server := d.Val()
		if !d.NextArg() {
			return d.ArgErr()
		}
		skew, err := time.ParseDuration(d.Val())
		if err != nil {
			return err
		}
		s.Clocks[server] = caddy.Duration(skew)
	}
	return nil
}

func (*triedStorage) OpenStorage(context.Context, string) (authcore.Store, func() error, error) {
	return nil, nil, errors.ErrUnsupported
}

func (*triedStorage) CheckStorage(context.Context, string) (string, error) { return "answers", nil }

func (s *triedStorage) StorageClocks(context.Context) (map[string]time.Duration, error) {
	skews := map[string]time.Duration{}
	for server, skew := range s.Clocks {
		if server == "mute" {
			return nil, fmt.Errorf("%s does not report its time", server)
		}
		skews[server] = time.Duration(skew)
	}
	return skews, nil
}

// triedProvider is a provider of the tests that can be tried.
type triedProvider struct {
	Fault string         `json:"fault,omitempty"`
	Skew  caddy.Duration `json:"skew,omitempty"`
	Posts bool           `json:"posts,omitempty"`

	name string
}

func (*triedProvider) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.providers.tried", New: func() caddy.Module { return new(triedProvider) }}
}

func (p *triedProvider) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	b := newBlock(d)
	for d.NextBlock(0) {
		var kind, skew string
		texts := map[string]*string{"type": &kind, "fault": &p.Fault, "skew": &skew}
		switch option := b.Val(); {
		case option == "posts":
			p.Posts = true
		case texts[option] == nil:
			return b.unknown()
		default:
			if err := b.text(texts[option]); err != nil {
				return err
			}
		}
		if skew != "" {
			span, err := time.ParseDuration(skew)
			if err != nil {
				return err
			}
			p.Skew = caddy.Duration(span)
		}
	}
	return nil
}

func (p *triedProvider) NewProvider(name string) (authcore.Provider, error) {
	p.name = name
	return p, nil
}

func (p *triedProvider) Name() string { return p.name }

func (p *triedProvider) Endpoint(ctx context.Context) (authcore.Endpoint, error) {
	if p.Fault == "mute" {
		<-ctx.Done()
		return authcore.Endpoint{}, fmt.Errorf("provider %s: %w", p.name, authcore.ErrProviderTimeout)
	}
	if p.Posts {
		return authcore.Endpoint{ResponseMode: "form_post"}, nil
	}
	return authcore.Endpoint{}, nil
}

func (p *triedProvider) AuthorizeURL(context.Context, authcore.AuthorizeRequest) (string, error) {
	return "", errors.ErrUnsupported
}

func (p *triedProvider) Exchange(context.Context, authcore.ExchangeRequest) (authcore.Profile, error) {
	return authcore.Profile{}, errors.ErrUnsupported
}

func (p *triedProvider) Check(ctx context.Context) (time.Duration, error) {
	faults := map[string]error{
		"client": fmt.Errorf("%w: got %w", authcore.ErrProviderFailed, provider.ErrClient), "timeout": authcore.ErrProviderTimeout, "failed": authcore.ErrProviderFailed,
	}
	if p.Fault == "hang" {
		<-ctx.Done()
		return 0, fmt.Errorf("provider %s: %w", p.name, authcore.ErrProviderTimeout)
	}
	if fault := faults[p.Fault]; fault != nil {
		return 0, fmt.Errorf("provider %s: %w: discovery: status 404", p.name, fault)
	}
	return time.Duration(p.Skew), nil
}

// checked runs the check command on a Caddyfile and returns what it prints.
func checked(t *testing.T, ctx context.Context, text string) (string, error) { //nolint:revive // t comes first in all helpers
	t.Helper()
	adapted, err := adapt(text)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = runCheck(ctx, &out, adapted)
	return out.String(), err
}

// mailAPI is a webhook that answers with a status.
func mailAPI(t *testing.T, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || r.Header.Get("Authorization") != "" {
			t.Errorf("the check sent %s with %v", r.Method, r.Header)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestCheck(t *testing.T) {
	free := filepath.Join(t.TempDir(), "free.db")
	used := filepath.Join(t.TempDir(), "used.db")
	for _, path := range []string{free, used} {
		db, err := bolt.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if path == free {
			err = db.Close()
		} else {
			t.Cleanup(func() { _ = db.Close() })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	if err := os.WriteFile(foreign, bytes.Repeat([]byte("no database "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	good := "mailer webhook " + mailAPI(t, 405) + " {\n from a@example.com\n token wh-secret\n}\n"
	for name, c := range map[string]struct {
		realm string
		wrong bool
		want  string
	}{
		"all well":                 {good + "storage bolt " + free, false, "ok     storage bolt: FILE is intact ("},
		"file of a running server": {good + "storage bolt " + used, false, "ok     storage bolt: FILE is in use by a running server"},
		"no file yet":              {good + "storage bolt " + free + ".new", false, "ok     storage bolt: FILE does not exist yet"},
		"another file":             {good + "storage bolt " + foreign, true, "WRONG  storage bolt: FILE is damaged or not a bbolt file"},
		"memory":                   {good + "storage memory", false, "ok     storage memory: opens and can be read\n"},
		"log mailer":               {"storage memory\nmailer log", false, "ok     mailer log: not tested"},
		"mail API fails": {
			"storage memory\nmailer webhook " + mailAPI(t, 503) + " {\n from a@example.com\n}", true,
			"WRONG  mailer webhook: http: 503: service unavailable\n         → Check the mailer",
		},
		"mail server refuses": {
			"storage memory\nmailer smtp smtp://u:smtp-secret@127.0.0.1:1 {\n from a@example.com\n}", true,
			"WRONG  mailer smtp: connect: connection refused\n         → Compare host and port",
		},
		"provider": {good + "storage memory\nprovider p {\n type tried\n}", false, "ok     provider p: responds as expected\n" +
			"  redirect URIs to register:\n    p  https://frontend.app/auth/callback  (client web)\n"},
		"provider is ahead":      {good + "storage memory\nprovider p {\n type tried\n skew 30s\n}", false, "ok     provider p: responds as expected; its clock is 30s ahead of that of this machine\n"},
		"store is nearly right":  {"mailer log\nstorage tried a 4400ms", false, "ok     storage tried: answers\n"},
		"store is ahead":         {"mailer log\nstorage tried a 7300ms", false, "ok     storage tried: answers; its clock is 7s ahead of that of this machine\n"},
		"store is a minute off":  {"mailer log\nstorage tried a -60400ms", false, "ok     storage tried: answers; its clock is 1m0s behind that of this machine\n"},
		"store is far behind":    {"mailer log\nstorage tried a -61s", true, "WRONG  storage tried: answers; its clock is 1m1s behind that of this machine\n         → One of the clocks is wrong. Synchronize both machines by NTP"},
		"one of several servers": {"mailer log\nstorage tried a:1 1s b:1 90s c:1 -10s", true, "WRONG  storage tried: answers; the clock of b:1 is 1m30s ahead of that of this machine; the clock of c:1 is 10s behind that of this machine\n"},
		"store without a time":   {"mailer log\nstorage tried mute 0s", true, "WRONG  storage tried: mute does not report its time\n"},
		"provider is behind":     {good + "storage memory\nprovider p {\n type tried\n skew -2m\n}", true, "WRONG  provider p: responds as expected; its clock is 2m0s behind that of this machine\n         → Logins with ID tokens"},
		"provider failed":        {good + "storage memory\nprovider p {\n type tried\n fault failed\n}", true, "WRONG  provider p: provider failed: discovery: status 404\n         → Compare issuer"},
		"client is unknown":      {good + "storage memory\nprovider p {\n type tried\n fault client\n}", true, "→ Compare client_id and client_secret"},
		"provider times out":     {good + "storage memory\nprovider p {\n type tried\n fault timeout\n}", true, "→ This machine gets no response."},
		"provider that posts":    {good + "storage memory\nprovider p {\n type tried\n posts\n}", true, "WRONG  provider p: uses form_post, and the realm has no api_url for the callback\n         → Add to the realm: api_url"},
		"bridge": {
			good + "storage memory\napi_url https://api.example.com/v1/auth\nprovider p {\n type tried\n posts\n}", false,
			"    p  https://api.example.com/v1/auth/social/callback/p/  (the form_post callback of this server)\n",
		},
		"not for this client": {
			good + "storage memory\nprovider p {\n type tried\n}\nprovider q {\n type tried\n}\nclient ios k {\n providers q\n redirect_uri app://cb\n}", false,
			"    p  https://frontend.app/auth/callback  (client web)\n    q  app://cb                            (client ios)\n    q  https://frontend.app/auth/callback  (client web)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := checked(t, t.Context(), setup{Port: "8080", Realm: c.realm}.caddyfile())
			if (err != nil) != c.wrong || err != nil && !errors.Is(err, errWrong) {
				t.Errorf("error is %v", err)
			}
			plain := regexp.MustCompile(`\S+\.db(\.new)?`).ReplaceAllString(out, "FILE")
			if !strings.HasPrefix(plain, "default realm\n") || !strings.Contains(plain, c.want) {
				t.Errorf("printed:\n%s\nwant in it:\n%s", plain, c.want)
			}
			for _, secret := range []string{testKey, "smtp-secret", "wh-secret"} {
				if strings.Contains(out, secret) {
					t.Errorf("%s was printed", secret)
				}
			}
		})
	}
	if _, err := os.Stat(free + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the check made a file: %v", err)
	}
}

// Several realms, and things that hang, also when they are asked how they answer:
// all ends with the context, and findings up to then are printed.
func TestCheckIsBounded(t *testing.T) {
	text := strings.Replace(setup{Port: "8080", Realm: "storage memory\nmailer log\nprovider p {\n type tried\n fault hang\n}\nprovider q {\n type tried\n fault mute\n}"}.caddyfile(),
		"\tedgeauth {", "\tedgeauth staff {\n client c k\n email_link https://a.app/{token}\n storage memory\n mailer log\n}\n\tedgeauth {", 1)
	synctest.Test(t, func(t *testing.T) { // its clock moves when everything that does not hang is done
		ctx, cancel := context.WithTimeout(t.Context(), checkTimeout)
		defer cancel()
		out, err := checked(t, ctx, text)
		if !errors.Is(err, errWrong) || !strings.Contains(out, "WRONG  provider p: provider timed out") ||
			!strings.Contains(out, "WRONG  provider q: provider timed out") || !strings.Contains(out, "    q  https://frontend.app/auth/callback") || !strings.Contains(out, "\nrealm staff\n  ok     storage memory") {
			t.Errorf("%v:\n%s", err, out)
		}
	})
}

func TestCheckOfNothing(t *testing.T) {
	for text, want := range map[string]string{
		":8080 {\n respond ok\n}\n":                         "the configuration has no edgeauth",
		"{\n edgeauth {\n client a b\n mailer log\n }\n}\n": "email_link",
	} {
		if out, err := checked(t, t.Context(), text); err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%s: %v, printed %q", text, err, out)
		}
	}
}

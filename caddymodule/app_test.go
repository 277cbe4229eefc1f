package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestSitesShareOneAppAndRealmsAreApart(t *testing.T) {
	other, staff := freePort(t), freePort(t)
	s := setup{
		Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "token_auth\n respond one",
		Globals: "edgeauth staff {\n client web " + testKey + "\n email_link https://staff.app/auth/link/{token}\n insecure_debug_links\n storage memory\n}",
		Sites: "http://127.0.0.1:" + other + " {\n token_auth\n respond two\n}\n" +
			"http://127.0.0.1:" + staff + " {\n login_api {\n realm staff\n }\n token_auth {\n realm staff\n }\n respond staff\n}",
	}
	load(t, s.caddyfile())
	token := login(t, s, "a@example.com")
	staffSite := s
	staffSite.Port = staff
	staffToken := login(t, staffSite, "a@example.com")
	for _, c := range []struct {
		port, token string
		want        int
	}{
		{s.Port, token, 200},
		{other, token, 200},
		{staff, token, 401},
		{staff, staffToken, 200},
		{s.Port, staffToken, 401},
	} {
		if response, body := call(t, http.MethodGet, "http://127.0.0.1:"+c.port+"/", nil, "Authorization", "Token "+c.token); response.StatusCode != c.want {
			t.Errorf("%+v: got %d %s", c, response.StatusCode, body)
		}
	}
	if names := strings.Join(activeApp(t).names(), ","); names != ",staff" {
		t.Errorf("realms: %q", names)
	}
	if name := loadedRealm(t, "staff").Name(); name != "staff" {
		t.Errorf("name: %q", name)
	}
}

func activeApp(t *testing.T) *App {
	t.Helper()
	app, err := caddy.ActiveContext().App(appName)
	if err != nil {
		t.Fatal(err)
	}
	return app.(*App)
}

func TestMetrics(t *testing.T) {
	box := newMailbox(t)
	s := setup{
		Port: freePort(t), Realm: box.option() + "\n storage memory",
		Site: "handle /metrics {\n metrics\n}\n handle {\n token_auth\n respond ok\n}",
	}
	load(t, s.caddyfile())
	post(t, s.url("/v1/auth/by-link/link/"), map[string]any{"email": "a@example.com"}, 200)
	token := spend(t, s, linkSecret(t, box.receive(t)))
	call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token)
	call(t, http.MethodGet, s.url("/"), nil)
	post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"token": "wrong", "client_key": testKey}, 400)
	post(t, s.url("/v1/auth/logout/"), nil, 204, "Authorization", "Token "+token)
	load(t, s.caddyfile()) // counts continue
	_, text := call(t, http.MethodGet, s.url("/metrics"), nil)
	for _, want := range []string{
		`edgeauth_logins_total{client="web",method="link",realm=""} 1`,
		`edgeauth_signups_total{client="web",method="link",realm=""} 1`,
		`edgeauth_login_failures_total{client="web",code="invalid_link",method="link",realm=""} 1`,
		`edgeauth_gate_decisions_total{realm="",reason="authenticated"} 1`,
		`edgeauth_gate_decisions_total{realm="",reason="no_credentials"} 1`,
		`edgeauth_revocations_total{cause="logout",realm=""} 1`,
		`edgeauth_mails_total{result="sent"} 1`,
		`edgeauth_mail_queue_length{realm=""} 0`,
		`edgeauth_ready{realm=""} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(text, "example.com") {
		t.Error("an address is in the metrics")
	}
}

// fakeEvents notes what is emitted.
type fakeEvents struct {
	unwanted bool
	emitted  chan map[string]any
}

func (f *fakeEvents) wants(string) bool { return !f.unwanted }
func (f *fakeEvents) emit(name string, data map[string]any) {
	data["name"] = name
	f.emitted <- data
}

func TestEventRelay(t *testing.T) {
	events := &fakeEvents{emitted: make(chan map[string]any, 2*eventBacklog)}
	relay := newEventRelay(events, "staff", newMetrics())
	ctx, cancel := context.WithCancel(t.Context())
	for range eventBacklog + 10 { // the surplus is dropped, nothing blocks
		relay.offer(authcore.Event{Name: authcore.EventLogin, Client: "web", UserID: "u"})
	}
	cancel()
	relay.run(ctx)
	if len(events.emitted) != eventBacklog {
		t.Errorf("%d events", len(events.emitted))
	}
	data := <-events.emitted
	if data["name"] != "edgeauth.login" || data["realm"] != "staff" || data["user_id"] != "u" || len(data) != 4 {
		t.Errorf("event: %v", data)
	}
	events.unwanted = true
	relay.offer(authcore.Event{Name: authcore.EventLogout})
	if len(relay.queue) != 0 {
		t.Error("an event without subscribers was kept")
	}
}

func TestAuthenticatorInAuthentication(t *testing.T) {
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory", Site: "respond {http.auth.user.id}"}
	adapted, err := adapt(s.caddyfile())
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(string(adapted), `{"body":"{http.auth.user.id}"`,
		`{"handler":"authentication","providers":{"edgeauth":{}}},{"body":"{http.auth.user.id} {http.auth.user.email}"`, 1)
	t.Cleanup(func() { _ = caddy.Stop() })
	if err := caddy.Load([]byte(config), true); err != nil {
		t.Fatal(err)
	}
	token := login(t, s, "a@example.com")
	if response, body := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token "+token); response.StatusCode != 200 || !strings.HasSuffix(body, " a@example.com") {
		t.Errorf("with token: %d %s", response.StatusCode, body)
	}
	if response, _ := call(t, http.MethodGet, s.url("/"), nil, "Authorization", "Token x"); response.StatusCode != 401 {
		t.Errorf("with a bad token: %d", response.StatusCode)
	}
}

// While a realm is not ready the answer is 503, which clients try again, and
// never 401, which logs people out.
func TestNotReadyIsUnavailable(t *testing.T) {
	realm := &Realm{started: make(chan struct{}), startWait: time.Millisecond, gate: newMetrics().decisions("")}
	close(realm.started)
	handler := &TokenAuth{realm: realm}
	recorder := httptest.NewRecorder()
	if err := handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil), nil); err != nil {
		t.Fatal(err)
	}
	if recorder.Code != 503 || recorder.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v", recorder.Code, recorder.Header())
	}
	if _, ok, err := (&Authenticator{realm: realm}).Authenticate(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)); ok || err == nil {
		t.Error("the authenticator took this for a decision")
	}
}

// The price of the gate: what a request with a known token allocates here.
func TestGateAllocations(t *testing.T) {
	claims := &gate.Claims{Subject: "u", Email: "a@example.com", EmailVerified: true, Method: "link", Client: "web", Session: "s"}
	names, _, err := gate.ChosenHeaders(nil)
	if err != nil {
		t.Fatal(err)
	}
	site := gate.Site{Headers: names}
	header := http.Header{"Authorization": {"Token x"}}
	request := &http.Request{Header: header}
	decision := &gate.Decision{Claims: claims}
	allocations := testing.AllocsPerRun(100, func() {
		cleanRequest(&site, request)
		site.Forward(decision, gate.Header(header))
	})
	if allocations > 2 {
		t.Errorf("%v allocations for the identity headers", allocations)
	}
}

func FuzzGlobalOption(f *testing.F) {
	for _, seed := range []string{
		"edgeauth {\n client a b {\n origin x\n}\n email_link x {\n lifetime 1m\n}\n}",
		"edgeauth staff {\n provider x a b {\n type oidc\n scope a\n}\n mailer smtp x {\n from y\n}\n}",
		"edgeauth {\n limit link_per_ip 1 1m\n storage bolt x\n signup domains a\n insecure_debug_links\n}",
		"edgeauth { {", "edgeauth {\n provider {\n}\n}", "edgeauth {\n mailer {\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := parseGlobalOption(caddyfile.NewTestDispenser(text), nil)
		if (value == nil) == (err == nil) {
			t.Errorf("value %v, error %v", value, err)
		}
	})
}

func FuzzTokenAuth(f *testing.F) {
	for _, seed := range []string{
		"token_auth {\n optional\n}", "token_auth {\n require email a@b.c\n assertion a 1m\n headers off\n max_age 1h\n}",
		"token_auth {", "token_auth {\n {\n", "login_api /x {\n realm y\n}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		handler, err := parseTokenAuth(httpcaddyfile.Helper{Dispenser: caddyfile.NewTestDispenser(text)})
		if (handler == nil) == (err == nil) {
			t.Errorf("handler %v, error %v", handler, err)
		}
	})
}

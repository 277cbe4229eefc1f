package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// spans keeps what an exporter received.
type spans struct {
	mu   sync.Mutex
	kept []sdktrace.ReadOnlySpan
}

// ExportSpans implements [sdktrace.SpanExporter].
func (s *spans) ExportSpans(_ context.Context, exported []sdktrace.ReadOnlySpan) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, exported...)
	return nil
}

// Shutdown implements [sdktrace.SpanExporter].
func (s *spans) Shutdown(context.Context) error { return nil }

// attributesOf returns the attributes of a span as text; the last one of a key counts.
func attributesOf(span sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, one := range span.Attributes() {
		all[string(one.Key)] = one.Value.String()
	}
	return all
}

// text returns all that a span contains.
func text(span sdktrace.ReadOnlySpan) string {
	return fmt.Sprint(span.Name(), attributesOf(span), span.Events(), span.Links(), span.Status(), span.Resource().Attributes())
}

// exporters numbers the exporters of this process, whose names are unique.
var exporters = struct {
	sync.Mutex
	n int
}{}

// exporting makes Caddy's `tracing` export to the result.
func exporting(t *testing.T) *spans {
	t.Helper()
	exporters.Lock()
	exporters.n++
	name := fmt.Sprintf("test-%d", exporters.n)
	exporters.Unlock()
	kept := &spans{}
	autoexport.RegisterSpanExporter(name, func(context.Context) (sdktrace.SpanExporter, error) { return kept, nil })
	t.Setenv("OTEL_TRACES_EXPORTER", name)
	return kept
}

// tokenProvider is a provider with the protocol of OAuth 2.0; it knows one user.
func tokenProvider(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/token" {
			_, _ = io.WriteString(w, `{"access_token":"access-secret","token_type":"Bearer"}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"subject-secret","email":"social@example.com"}`)
	}))
	t.Cleanup(server.Close)
	return server
}

// tracedWalk signs in by link and by a provider, with failures in between, and returns
// the spans and all that must not be in them, by description.
func tracedWalk(t *testing.T) (*spans, map[string]string) {
	t.Helper()
	kept, idp := exporting(t), tokenProvider(t)
	mails := newMailbox(t)
	s := setup{Port: freePort(t), Realm: "storage memory\n" + mails.option() + `
		provider github client-id client-secret-of-tests {
			type oauth2
			authorize_url ` + idp.URL + `/authorize
			token_url ` + idp.URL + `/token
			user_info_url ` + idp.URL + `/user
			field subject id
			field email email
			insecure_allow_private_addresses
		}`, Site: "token_auth {\n public /auth/*\n}\nrespond page"}
	config := strings.Replace(s.caddyfile(), "\tlogin_api\n", "\ttracing {\n span \"{http.request.uri}\"\n }\n login_api\n", 1)
	load(t, config)

	secret := map[string]string{"client key": testKey, "client secret": "client-secret-of-tests", "access token": "access-secret", "subject": "subject-secret"}
	secret["address"], secret["second address"] = "ann@example.com", "social@example.com"
	post(t, s.url("/v1/auth/by-link/link/"), map[string]any{"email": "ann@example.com", "client_key": testKey}, http.StatusOK)
	mail := mails.receive(t)
	link := linkSecret(t, mail)
	secret["link"], secret["code"] = link, mailedCode(mail)
	call(t, http.MethodGet, s.url("/auth/link/"+link), nil)
	call(t, http.MethodGet, s.url("/v1/auth/"+link), nil)
	call(t, http.MethodGet, s.url("/v1/auth/social/providers/?client_key="+testKey), nil)
	post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"client_key": testKey, "token": "wrong"}, http.StatusBadRequest)
	answer := post(t, s.url("/v1/auth/by-link/login/"), map[string]any{"client_key": testKey, "token": link}, http.StatusOK)
	token, _ := answer["token"].(string)
	secret["token"] = token
	call(t, http.MethodGet, s.url("/private"), nil, "Authorization", "Token "+token)
	call(t, http.MethodGet, s.url("/private"), nil, "Authorization", "Token "+token+"x")

	begun := post(t, s.url("/v1/auth/social/authorize/github/"), map[string]any{
		"client_key": testKey, "redirect_uri": "https://frontend.app/auth/callback",
	}, http.StatusOK)
	state, _ := begun["state"].(string)
	if state == "" {
		t.Fatalf("authorize = %v, want a state", begun)
	}
	secret["state"], secret["authorization code"] = state, "code-secret"
	call(t, http.MethodGet, s.url("/auth/callback?code=code-secret&state="+secret["state"]), nil)
	answer = post(t, s.url("/v1/auth/social/login/github/"), map[string]any{
		"client_key": testKey, "redirect_uri": "https://frontend.app/auth/callback", "code": "code-secret", "state": secret["state"],
	}, http.StatusOK)
	secret["second token"], _ = answer["token"].(string)
	_, sessions := call(t, http.MethodGet, s.url("/v1/auth/sessions/"), nil, "Authorization", "Token "+token)
	_, id, _ := strings.Cut(sessions, `"id":"`)
	secret["session"], _, _ = strings.Cut(id, `"`)
	call(t, http.MethodDelete, s.url("/v1/auth/sessions/"+secret["session"]+"/"), nil, "Authorization", "Token "+token)
	if err := caddy.Stop(); err != nil { // exports what waits
		t.Fatalf("Stop: %v", err)
	}
	for what, value := range secret {
		if value == "" {
			t.Fatalf("the walk has no %s", what)
		}
	}
	return kept, secret
}

// A reader of traces looks for links, codes, tokens, states and addresses in the spans of
// a whole login, where Caddy's own span has the path of each request and a name formed
// from its address (CWE-532).
func TestHardeningSpansWithoutSecrets(t *testing.T) {
	kept, secret := tracedWalk(t)
	if len(kept.kept) < 20 {
		t.Fatalf("the walk left %d spans, want at least 20", len(kept.kept))
	}
	for _, span := range kept.kept {
		content := text(span)
		for what, value := range secret {
			if strings.Contains(content, value) || strings.Contains(content, url.QueryEscape(value)) {
				t.Errorf("span %s contains the %s: %s", span.Name(), what, content)
			}
		}
	}
}

// The spans of a login are those of its steps, below Caddy's span.
func TestSpansOfALogin(t *testing.T) {
	kept, _ := tracedWalk(t)
	byID := map[trace.SpanID]sdktrace.ReadOnlySpan{}
	for _, span := range kept.kept {
		byID[span.SpanContext().SpanID()] = span
	}
	path := func(span sdktrace.ReadOnlySpan) string {
		names := []string{span.Name()}
		for parent := byID[span.Parent().SpanID()]; parent != nil; parent = byID[parent.Parent().SpanID()] {
			names = append(names, parent.Name())
		}
		slices.Reverse(names)
		return strings.Join(names, " > ")
	}
	for _, want := range []struct {
		path       string
		attributes map[string]string
	}{
		{"/v1/auth/by-link/link > edgeauth.link_requested", map[string]string{"edgeauth.method": "link", "edgeauth.client": "web"}},
		{"/v1/auth/by-link/link > edgeauth.link_requested > edgeauth.mail.enqueue", map[string]string{"edgeauth.mail.kind": "login"}},
		{"/v1/auth/by-link/login > edgeauth.login", map[string]string{"edgeauth.method": "link", "edgeauth.client": "web", "edgeauth.code": "invalid_link"}},
		{"/v1/auth/by-link/login > edgeauth.login > edgeauth.store.login", map[string]string{"edgeauth.store.engine": "memory"}},
		{"/v1/auth/social/login/{provider} > edgeauth.login", map[string]string{"edgeauth.method": "github"}},
		{"/v1/auth/social/login/{provider} > edgeauth.login > edgeauth.provider.request", map[string]string{
			"edgeauth.provider": "github", "http.request.method": "POST", "server.address": "127.0.0.1", "http.response.status_code": "200",
		}},
		{"/v1/auth/sessions/{id}", map[string]string{"http.route": "/v1/auth/sessions/{id}", "url.path": "/v1/auth/sessions/{id}"}},
		{"/private", map[string]string{"edgeauth.gate.reason": "authenticated"}},
		{"/private", map[string]string{"edgeauth.gate.reason": "malformed"}},
		{"/[hidden]", map[string]string{"url.path": "/[hidden]", "edgeauth.gate.reason": "anonymous"}},
		{"/[hidden]", map[string]string{"url.path": "/[hidden]", "http.response.status_code": "404"}},
	} {
		found := slices.ContainsFunc(kept.kept, func(span sdktrace.ReadOnlySpan) bool {
			if path(span) != want.path {
				return false
			}
			attributes := attributesOf(span)
			for key, value := range want.attributes {
				if attributes[key] != value {
					return false
				}
			}
			return true
		})
		if !found {
			t.Errorf("no span %s with %v", want.path, want.attributes)
		}
	}
	if t.Failed() {
		for _, span := range kept.kept {
			t.Log(path(span), attributesOf(span))
		}
	}
}

// Failures mark spans by their class: their texts may contain addresses.
func TestSpansOfFailures(t *testing.T) {
	kept := &spans{}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	ctx, parent := provider.Tracer("test").Start(t.Context(), "parent")
	defer parent.End()
	broken := fmt.Errorf("dial ann@example.com: %w", authcore.ErrUnavailable)
	for err, want := range map[error]string{
		broken: "unavailable", authcore.ErrNotFound: "not_found", authcore.ErrExists: "exists", authcore.ErrTaken: "taken",
		errors.New("ann@example.com"): "refused",
	} {
		_, call := (&observedStore{durations: newMetrics().stored}).begin(ctx, "user")
		call.end(ctx, &err)
		last := kept.kept[len(kept.kept)-1]
		if got := attributesOf(last)["error.type"]; got != want || strings.Contains(text(last), "ann@") {
			t.Errorf("span of %v has error.type %q in %s, want %q", err, got, text(last), want)
		}
	}
	for err, want := range map[error]string{context.Canceled: "canceled", context.DeadlineExceeded: "timeout", io.EOF: "transport"} {
		if got := transportFault(err); got != want {
			t.Errorf("transportFault(%v) = %q, want %q", err, got, want)
		}
	}
	for err, want := range map[error]string{authcore.ErrMailQueueFull: "queue_full", io.EOF: "closed"} {
		if got := (tracedMailer{Mailer: failingMailer{err}}).Enqueue(ctx, authcore.Mail{To: "ann@example.com"}); !errors.Is(got, err) {
			t.Errorf("Enqueue() = %v, want %v", got, err)
		}
		last := kept.kept[len(kept.kept)-1]
		if got := attributesOf(last)["error.type"]; got != want || strings.Contains(text(last), "ann@") {
			t.Errorf("span of %v has error.type %q in %s, want %q", err, got, text(last), want)
		}
	}
}

// failingMailer accepts nothing.
type failingMailer struct{ err error }

func (m failingMailer) Enqueue(context.Context, authcore.Mail) error { return m.err }

// emptyStore and emptyTransport do nothing, and allocate nothing.
type emptyStore struct{ authcore.Store }

func (emptyStore) User(context.Context, authcore.UserRef) (authcore.User, error) {
	return authcore.User{}, nil
}

type emptyTransport struct{ response *http.Response }

func (e emptyTransport) RoundTrip(*http.Request) (*http.Response, error) { return e.response, nil }

// Without a span, or with one that is not recorded, tracing allocates nothing.
func TestNothingIsSpentWithoutASpan(t *testing.T) {
	realm := &Realm{name: "r"}
	realm.metrics = newMetrics()
	store := &observedStore{Store: emptyStore{}, realm: "r", engine: "memory", durations: realm.metrics.stored}
	mailer := tracedMailer{failingMailer{}, "r"}
	transport := tracedTransport{emptyTransport{new(http.Response)}, "github"}
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	dropped, _ := never.Tracer("test").Start(t.Context(), "dropped")
	for name, ctx := range map[string]context.Context{"no span": t.Context(), "span not recorded": dropped} {
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
		for what, run := range map[string]func(){
			"store":    func() { _, _ = store.User(ctx, authcore.UserRef{ID: "u"}) },
			"mailer":   func() { _ = mailer.Enqueue(ctx, authcore.Mail{}) },
			"provider": func() { _, _ = transport.RoundTrip(request) },
			"gate":     func() { realm.traceGate(ctx, gate.ReasonAuthenticated) },
			"address":  func() { hideAddress(request) },
			"login": func() {
				_, end := realm.traceLogin(ctx, authcore.EventLogin)
				end(authcore.Event{Name: authcore.EventLogin})
			},
		} {
			if got := testing.AllocsPerRun(100, run); got != 0 {
				t.Errorf("%s: %s allocates %v times, want 0", name, what, got)
			}
		}
	}
}

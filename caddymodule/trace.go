package caddymodule

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/edgeauth/edgeauth/authcore"
)

// tracer names the instrumentation of all spans of this package.
const tracer = "github.com/edgeauth/edgeauth"

// Attributes of spans. Their values come from the configuration or from a fixed list.
// User IDs, session IDs, addresses and secrets are not among them.
const (
	attrRealm     = attribute.Key("edgeauth.realm")
	attrReason    = attribute.Key("edgeauth.gate.reason")
	attrClient    = attribute.Key("edgeauth.client")
	attrMethod    = attribute.Key("edgeauth.method")
	attrCode      = attribute.Key("edgeauth.code")
	attrEngine    = attribute.Key("edgeauth.store.engine")
	attrOperation = attribute.Key("edgeauth.store.operation")
	attrMail      = attribute.Key("edgeauth.mail.kind")
	attrProvider  = attribute.Key("edgeauth.provider")
	attrError     = attribute.Key("error.type")
	attrRoute     = attribute.Key("http.route")
	attrPath      = attribute.Key("url.path")
)

// hiddenPath replaces a path with a secret in spans.
const hiddenPath = "/[hidden]"

// recording returns the span of a context, or nil if it has no span that is recorded. It
// allocates nothing, so that a request without a span costs one look at its context.
func recording(ctx context.Context) trace.Span {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		return span
	}
	return nil
}

// child begins a span below one that is recorded. It uses the provider of the parent:
// spans exist only where Caddy's `tracing` made one.
func child(ctx context.Context, parent trace.Span, name string, kind trace.SpanKind, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return parent.TracerProvider().Tracer(tracer).
		Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

// fail marks a span as failed. The text of an error may contain an address, so that
// only its type is recorded.
func fail(span trace.Span, kind string) {
	span.SetAttributes(attrError.String(kind))
	span.SetStatus(codes.Error, kind)
}

// traceGate adds the decision about a request to its span.
func (r *Realm) traceGate(ctx context.Context, reason string) {
	if span := recording(ctx); span != nil {
		span.SetAttributes(attrRealm.String(r.name), attrReason.String(reason))
	}
}

// hideAddress removes the address of a request, which may contain a secret, from its span
// (CWE-532). The name is replaced too: the configuration can form it from the address.
func hideAddress(request *http.Request) {
	if span := recording(request.Context()); span != nil {
		span.SetName(hiddenPath)
		span.SetAttributes(attrPath.String(hiddenPath))
	}
}

// routed is a handler with routes: the login API and the login page.
type routed interface {
	http.Handler
	// Route returns the pattern of the route of a request, or "".
	Route(r *http.Request) string
}

// otherRoute is the label of requests without a route.
const otherRoute = "other"

// serve answers a request with a handler that is made for the realm in use.
func (r *Realm) serve(w http.ResponseWriter, request *http.Request, handler func(*liveRealm) (routed, error)) error {
	live, release, err := r.hold(request.Context())
	if err != nil {
		r.failed(authcore.CodeUnavailable)
		writeUnavailable(w, err)
		return nil
	}
	defer release()
	made, err := handler(live)
	if err != nil {
		return err
	}
	r.serveRoute(w, request, made)
	return nil
}

// serveRoute serves a request and measures it. Its span gets the route in place of the
// address, whose variable segment may be the secret of a link.
func (r *Realm) serveRoute(w http.ResponseWriter, request *http.Request, handler routed) {
	begun, route := time.Now(), handler.Route(request)
	if span := recording(request.Context()); span != nil {
		span.SetAttributes(attrRealm.String(r.name))
		if route != "" {
			span.SetName(route)
			span.SetAttributes(attrRoute.String(route), attrPath.String(route))
		}
	}
	if route == "" {
		route = otherRoute
	}
	handler.ServeHTTP(w, request)
	observe(request.Context(), r.metrics.served.WithLabelValues(r.name, route), time.Since(begun).Seconds())
}

// traceLogin is the Trace of the core: a login and the request of a link have a span.
func (r *Realm) traceLogin(ctx context.Context, name authcore.EventName) (context.Context, func(authcore.Event)) {
	parent := recording(ctx)
	if parent == nil {
		return ctx, func(authcore.Event) {}
	}
	ctx, span := child(ctx, parent, appName+"."+string(name), trace.SpanKindInternal, attrRealm.String(r.name))
	return ctx, func(event authcore.Event) {
		for key, value := range map[attribute.Key]string{attrMethod: event.Method, attrClient: event.Client, attrCode: string(event.Code)} {
			if value != "" {
				span.SetAttributes(key.String(value))
			}
		}
		if event.Code == authcore.CodeUnavailable {
			fail(span, string(event.Code))
		}
		span.End()
	}
}

// observe adds a duration to a histogram, with the trace as an exemplar if there is one
// that is kept.
func observe(ctx context.Context, histogram prometheus.Observer, seconds float64) {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		if exemplars, ok := histogram.(prometheus.ExemplarObserver); ok {
			exemplars.ObserveWithExemplar(seconds, prometheus.Labels{"trace_id": span.TraceID().String(), "span_id": span.SpanID().String()})
			return
		}
	}
	histogram.Observe(seconds)
}

// tracedMailer is a mailer whose calls have a span. The delivery has none: it happens
// after the response.
type tracedMailer struct {
	authcore.Mailer
	realm string
}

// Enqueue accepts a mail.
func (m tracedMailer) Enqueue(ctx context.Context, mail authcore.Mail) error {
	parent := recording(ctx)
	if parent == nil {
		return m.Mailer.Enqueue(ctx, mail)
	}
	kind := mail.Kind
	if kind == authcore.MailLogin {
		kind = "login"
	}
	ctx, span := child(ctx, parent, appName+".mail.enqueue", trace.SpanKindProducer, attrRealm.String(m.realm), attrMail.String(string(kind)))
	defer span.End()
	err := m.Mailer.Enqueue(ctx, mail)
	switch {
	case errors.Is(err, authcore.ErrMailQueueFull):
		fail(span, "queue_full")
	case err != nil:
		fail(span, "closed")
	}
	return err
}

// tracedTransport is the transport of a provider. Its spans name the host and neither
// path nor query: some providers expect a token there. The provider receives no header
// of the trace.
type tracedTransport struct {
	next     http.RoundTripper
	provider string
}

// RoundTrip implements [http.RoundTripper].
func (t tracedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	parent := recording(request.Context())
	if parent == nil {
		return t.next.RoundTrip(request)
	}
	ctx, span := child(request.Context(), parent, appName+".provider.request", trace.SpanKindClient,
		attrProvider.String(t.provider), attribute.String("http.request.method", request.Method),
		attribute.String("server.address", request.URL.Hostname()))
	defer span.End()
	response, err := t.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		fail(span, transportFault(err))
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
	if response.StatusCode >= http.StatusBadRequest {
		fail(span, http.StatusText(response.StatusCode))
	}
	return response, nil
}

// transportFault classifies the failure of a request.
func transportFault(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	default:
		return "transport"
	}
}

package caddymodule

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/webhook"
	"github.com/edgeauth/edgeauth/storage/memory"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// The store of a realm with measurements is a store.
func TestObservedStore(t *testing.T) {
	m := newMetrics()
	storagetest.Run(t, storagetest.Config{Open: func(*testing.T) authcore.Store {
		return &observedStore{Store: memory.New(), realm: "r", engine: "memory", durations: m.stored}
	}})
}

// Names and units are those that Prometheus recommends.
func TestMetricNames(t *testing.T) {
	m, app := newMetrics(), &App{}
	for _, vector := range []*prometheus.HistogramVec{m.lag, m.served, m.stored} {
		labels := []string{"", ""}
		if vector == m.lag {
			labels = labels[:1]
		}
		vector.WithLabelValues(labels...).Observe(1)
	}
	m.event("", authcore.Event{Name: authcore.EventLogin})
	m.event("", authcore.Event{Name: authcore.EventSignup})
	m.event("", authcore.Event{Name: authcore.EventLoginFailed})
	m.event("", authcore.Event{Name: authcore.EventLinkRequested})
	m.event("", authcore.Event{Name: authcore.EventLogout})
	m.mails.WithLabelValues("sent")
	m.apiFailures("")
	m.decisions("")
	m.eventsDropped.WithLabelValues("")
	m.auditDrops("")
	m.webhookAttempts("", []webhook.Endpoint{{}})
	registry := prometheus.NewRegistry()
	if err := m.register(registry, app); err != nil {
		t.Fatalf("register: %v", err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != len(m.collectors) {
		t.Fatalf("Gather() = %d families, %v, want %d", len(families), err, len(m.collectors))
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatalf("Lint: %v", err)
	}
	for _, problem := range problems {
		t.Errorf("metric %s: %s", problem.Metric, problem.Text)
	}
}

// An observation during a kept trace has it as an exemplar, another one has none.
func TestExemplars(t *testing.T) {
	provider := sdktrace.NewTracerProvider()
	ctx, span := provider.Tracer("test").Start(t.Context(), "parent")
	defer span.End()
	for want, ctx := range map[string]context.Context{"": t.Context(), span.SpanContext().TraceID().String(): ctx} {
		m := newMetrics()
		observe(ctx, m.served.WithLabelValues("r", "/"), 0.3)
		registry := prometheus.NewRegistry()
		registry.MustRegister(m.served)
		families, err := registry.Gather()
		if err != nil {
			t.Fatalf("Gather: %v", err)
		}
		got := ""
		for _, bucket := range families[0].GetMetric()[0].GetHistogram().GetBucket() {
			for _, label := range bucket.GetExemplar().GetLabel() {
				if label.GetName() == "trace_id" {
					got = label.GetValue()
				}
			}
		}
		if got != want {
			t.Errorf("observe() left the exemplar %q, want %q", got, want)
		}
	}
}

// BenchmarkObservedStore measures what the measurement of a call costs, without and with
// a span.
func BenchmarkObservedStore(b *testing.B) {
	store := &observedStore{Store: emptyStore{}, realm: "r", engine: "memory", durations: newMetrics().stored}
	provider := sdktrace.NewTracerProvider()
	traced, span := provider.Tracer("test").Start(b.Context(), "parent", trace.WithAttributes(attribute.Bool("test", true)))
	defer span.End()
	for name, ctx := range map[string]context.Context{"without": b.Context(), "with": traced} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = store.User(ctx, authcore.UserRef{ID: "u"})
			}
		})
	}
}

package caddymodule

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
	"github.com/edgeauth/edgeauth/authcore/webhook"
	"github.com/edgeauth/edgeauth/mailer"
)

// metrics holds the counters of the process; they continue over a reload. Every label
// comes from the configuration or from a fixed list, never from a request.
type metrics struct {
	logins, signups, failures, links, ended, mails, decided, failed, eventsDropped, auditDropped, webhooks *prometheus.CounterVec
	lag, served, stored                                                                                    *prometheus.HistogramVec
	// collectors are the counters and histograms above.
	collectors []prometheus.Collector
}

// latencyBuckets range from a call of an embedded store to the timeouts of requests.
var latencyBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// lagBuckets contain the documented bound, which is one second.
var lagBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, .75, 1, 2.5, 5, 10, 30, 60}

func newMetrics() *metrics {
	m := &metrics{}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		made := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: appName, Name: name, Help: help}, labels)
		m.collectors = append(m.collectors, made)
		return made
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		made := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: appName, Name: name, Help: help, Buckets: buckets}, labels)
		m.collectors = append(m.collectors, made)
		return made
	}
	m.logins = counter("logins_total", "Logins that succeeded.", "realm", "client", "method")
	m.signups = counter("signups_total", "Accounts created by a login.", "realm", "client", "method")
	m.failures = counter("login_failures_total", "Logins that failed, by error code.", "realm", "client", "method", "code")
	m.links = counter("links_total", "Login links requested.", "realm", "client")
	m.ended = counter("revocations_total", "Revocations made here, by cause.", "realm", "cause")
	m.mails = counter("mails_total", "Mails by result.", "result")
	m.decided = counter("gate_decisions_total", "Decisions about proxied requests, by reason.", "realm", "reason")
	m.failed = counter("api_failures_total", "Login API requests that failed with a server error, by code.", "realm", "code")
	m.eventsDropped = counter("events_dropped_total", "Events dropped because of a slow subscriber.", "realm")
	m.auditDropped = counter("audit_dropped_total", "Entries of the audit trail that were not stored.", "realm")
	m.webhooks = counter("webhook_deliveries_total", "Attempts to deliver messages to webhooks, by result.", "realm", "webhook", "result")
	m.served = histogram("api_request_duration_seconds", "Duration of requests to the login API and the login page, by route.", latencyBuckets, "realm", "route")
	m.stored = histogram("store_duration_seconds", "Duration of calls of the store, by operation.", latencyBuckets, "realm", "operation")
	m.lag = histogram("revocation_lag_seconds", "Time until a revocation of another node was in force here.", lagBuckets, "realm")
	return m
}

// register adds the counters, and gauges of one app, to a configuration's
// registry.
func (m *metrics) register(registry *prometheus.Registry, app *App) error {
	faults := []error{registry.Register(newGauges(app))}
	for _, collector := range m.collectors {
		faults = append(faults, registry.Register(collector))
	}
	return errors.Join(faults...)
}

// event counts what the core reports.
func (m *metrics) event(realm string, e authcore.Event) {
	switch e.Name {
	case authcore.EventLogin:
		m.logins.WithLabelValues(realm, e.Client, e.Method).Inc()
	case authcore.EventSignup:
		m.signups.WithLabelValues(realm, e.Client, e.Method).Inc()
	case authcore.EventLoginFailed:
		m.failures.WithLabelValues(realm, e.Client, e.Method, string(e.Code)).Inc()
	case authcore.EventLinkRequested:
		m.links.WithLabelValues(realm, e.Client).Inc()
	case authcore.EventLogout, authcore.EventReuse, authcore.EventUserDisabled, authcore.EventUserDeleted:
		m.ended.WithLabelValues(realm, string(e.Name)).Inc()
	default: // only subscribers of events and the audit trail receive the others
	}
}

// revocationLag returns what measures how late revocations of other nodes come.
func (m *metrics) revocationLag(realm string) func(time.Duration) {
	histogram := m.lag.WithLabelValues(realm)
	return func(lag time.Duration) { histogram.Observe(lag.Seconds()) }
}

// apiFailures returns what counts the failures of the login API. The codes are
// there from the start, so that a rise from nothing is seen.
func (m *metrics) apiFailures(realm string) func(authcore.Code) {
	for _, code := range []authcore.Code{authcore.CodeUnavailable, httpapi.CodeInternal} {
		m.failed.WithLabelValues(realm, string(code))
	}
	return func(code authcore.Code) { m.failed.WithLabelValues(realm, string(code)).Inc() }
}

// auditDrops returns what counts entries of the audit trail that were not stored.
func (m *metrics) auditDrops(realm string) func(int) {
	counter := m.auditDropped.WithLabelValues(realm)
	return func(n int) { counter.Add(float64(n)) }
}

// webhookAttempts returns what counts the deliveries of a realm. The counters of the
// configured endpoints exist from the start, so that a rise from zero is visible.
func (m *metrics) webhookAttempts(realm string, endpoints []webhook.Endpoint) func(string, webhook.Result) {
	for _, endpoint := range endpoints {
		for _, result := range webhook.Results() {
			m.webhooks.WithLabelValues(realm, endpoint.ID(), string(result))
		}
	}
	return func(endpoint string, result webhook.Result) {
		m.webhooks.WithLabelValues(realm, endpoint, string(result)).Inc()
	}
}

func (m *metrics) mailOutcome(outcome mailer.Outcome) {
	m.mails.WithLabelValues(string(outcome.Result)).Inc()
}

// decisionCounters holds the counter of each reason, found beforehand: the gate
// counts every request.
type decisionCounters map[string]prometheus.Counter

func (m *metrics) decisions(realm string) decisionCounters {
	counters := decisionCounters{}
	for _, reason := range reasons() {
		counters[reason] = m.decided.WithLabelValues(realm, reason)
	}
	return counters
}

// count adds one to the reason's counter.
func (c decisionCounters) count(reason string) {
	if counter := c[reason]; counter != nil {
		counter.Inc()
	}
}

// reasons lists every reason of a decision.
func reasons() []string {
	list := []string{gate.ReasonAuthenticated, gate.ReasonAnonymous, gate.ReasonPreflight, gate.ReasonRenewal, gate.ReasonUnavailable}
	for _, err := range []error{
		gate.ErrNoCredentials, gate.ErrEmptyCredentials, gate.ErrSpaces, gate.ErrInvalidCharacters,
		gate.ErrInvalidToken, gate.ErrUserInactive, gate.ErrMalformed, gate.ErrUnknownKey, gate.ErrSignature,
		gate.ErrExpired, gate.ErrRevoked, gate.ErrClaims, gate.ErrTooOld, gate.ErrFactorMissing, gate.ErrForbidden,
		gate.ErrStale, gate.ErrCrossSite, gate.ErrKeyNotAccepted, gate.ErrKeyRequired,
	} {
		if refusal, ok := errors.AsType[*gate.Refusal](err); ok {
			list = append(list, refusal.Reason)
		}
	}
	return list
}

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
}

// latencyBuckets range from a call of an embedded store to the timeouts of requests.
var latencyBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: appName, Name: name, Help: help}, labels)
	}
	return &metrics{
		logins:        counter("logins_total", "Logins that succeeded.", "realm", "client", "method"),
		signups:       counter("signups_total", "Accounts created by a login.", "realm", "client", "method"),
		failures:      counter("login_failures_total", "Logins that failed, by error code.", "realm", "client", "method", "code"),
		links:         counter("links_total", "Login links requested.", "realm", "client"),
		ended:         counter("revocations_total", "Revocations made here, by cause.", "realm", "cause"),
		mails:         counter("mails_total", "Mails by result.", "result"),
		decided:       counter("gate_decisions_total", "Decisions about proxied requests, by reason.", "realm", "reason"),
		failed:        counter("api_failures_total", "Login API requests that failed with a server error, by code.", "realm", "code"),
		eventsDropped: counter("events_dropped_total", "Events dropped because of a slow subscriber.", "realm"),
		auditDropped:  counter("audit_dropped_total", "Entries of the audit trail that were not stored.", "realm"),
		webhooks:      counter("webhook_deliveries_total", "Attempts to deliver messages to webhooks, by result.", "realm", "webhook", "result"),
		served: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: appName, Name: "api_request_duration_seconds",
			Help: "Duration of requests to the login API and the login page, by route.", Buckets: latencyBuckets,
		}, []string{"realm", "route"}),
		stored: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: appName, Name: "store_duration_seconds",
			Help: "Duration of calls of the store, by operation.", Buckets: latencyBuckets,
		}, []string{"realm", "operation"}),
		lag: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: appName, Name: "revocation_lag_seconds",
			Help: "Time until a revocation of another node was in force here.",
			// The documented bound is one second.
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, .75, 1, 2.5, 5, 10, 30, 60},
		}, []string{"realm"}),
	}
}

// register adds the counters, and gauges of one app, to a configuration's
// registry.
func (m *metrics) register(registry *prometheus.Registry, app *App) error {
	var faults []error
	for _, collector := range append(m.collectors(), newGauges(app)) {
		faults = append(faults, registry.Register(collector))
	}
	return errors.Join(faults...)
}

// collectors lists the counters and histograms.
func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.logins, m.signups, m.failures, m.links, m.ended, m.mails, m.decided, m.failed, m.eventsDropped, m.auditDropped, m.webhooks,
		m.lag, m.served, m.stored,
	}
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
	case authcore.EventLinked, authcore.EventUnlinked, authcore.EventEmailChanged, authcore.EventRefresh, authcore.EventUserEnabled,
		authcore.EventUserCreated, authcore.EventInvited, authcore.EventInvitationRevoked, authcore.EventKeyCreated, authcore.EventKeyRevoked,
		authcore.EventPasskeyAdded, authcore.EventPasskeyRemoved, authcore.EventRolesGranted,
		authcore.EventFactorAsked, authcore.EventFactorProven, authcore.EventFactorFailed, authcore.EventFactorAdded,
		authcore.EventFactorRemoved, authcore.EventRolesChanged,
		authcore.EventKeysRotated, authcore.EventSigningKeyRevoked, authcore.EventImported, authcore.EventBackup,
		authcore.EventWebhookRetried, authcore.EventWebhookDiscarded:
		// Only subscribers of events and the audit trail receive these.
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

package caddymodule

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeauth/edgeauth/authcore/webhook"
)

// gauges reads the state of the realms of one configuration at scrape time.
type gauges struct {
	app                              *App
	queue, ready, revocations, clock *prometheus.Desc
	waiting, dead, oldest            *prometheus.Desc
}

func newGauges(app *App) *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(appName, "", name), help, append([]string{"realm"}, labels...), nil)
	}
	return &gauges{
		app:   app,
		queue: desc("mail_queue_length", "Mails waiting for delivery."),
		ready: desc("ready", "Whether the realm serves: 1 or 0."),
		revocations: desc("revocations_age_seconds",
			"Age of the copy of the revocations of all nodes."),
		clock: desc("clock_skew_seconds",
			"How far the store's clock is ahead of this node's."),
		waiting: desc("webhook_waiting", "Messages waiting for delivery to a webhook, up to 1000.", "webhook"),
		dead:    desc("webhook_dead_letters", "Dead letters of a webhook, up to 1000.", "webhook"),
		oldest:  desc("webhook_oldest_age_seconds", "Age of the oldest message that waits for delivery to a webhook.", "webhook"),
	}
}

// Describe lists the gauges.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{g.queue, g.ready, g.revocations, g.clock, g.waiting, g.dead, g.oldest} {
		to <- desc
	}
}

// Collect reads the gauges.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	for _, name := range g.app.names() {
		realm := g.app.Realms[name]
		ready := 0.0
		if live := realm.live.Load(); live != nil {
			ready = 1
			age := live.RevocationAge().Seconds()
			to <- prometheus.MustNewConstMetric(g.revocations, prometheus.GaugeValue, age, name)
			if skew, measured := live.clock.seconds(); measured {
				to <- prometheus.MustNewConstMetric(g.clock, prometheus.GaugeValue, skew, name)
			}
			if queue, ok := live.mailer.(interface{ Len() int }); ok {
				to <- prometheus.MustNewConstMetric(g.queue, prometheus.GaugeValue, float64(queue.Len()), name)
			}
			if live.Webhooks != nil {
				g.collectBacklogs(to, name, live.Webhooks.Backlogs(), live.Now())
			}
		}
		to <- prometheus.MustNewConstMetric(g.ready, prometheus.GaugeValue, ready, name)
	}
}

// collectBacklogs sends the gauges of the webhooks of a realm.
func (g *gauges) collectBacklogs(to chan<- prometheus.Metric, realm string, backlogs []webhook.Backlog, now time.Time) {
	for _, backlog := range backlogs {
		gauge := func(desc *prometheus.Desc, value float64) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, realm, backlog.Endpoint)
		}
		gauge(g.waiting, float64(backlog.Waiting))
		gauge(g.dead, float64(backlog.Dead))
		age := 0.0
		if !backlog.Oldest.IsZero() {
			age = max(0, now.Sub(backlog.Oldest).Seconds())
		}
		gauge(g.oldest, age)
	}
}

var _ prometheus.Collector = (*gauges)(nil)

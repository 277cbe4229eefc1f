package caddymodule

import "github.com/prometheus/client_golang/prometheus"

// gauges reads the state of the realms of one configuration at scrape time.
type gauges struct {
	app                              *App
	queue, ready, revocations, clock *prometheus.Desc
}

func newGauges(app *App) *gauges {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(appName, "", name), help, []string{"realm"}, nil)
	}
	return &gauges{
		app:   app,
		queue: desc("mail_queue_length", "Mails waiting for delivery."),
		ready: desc("ready", "Whether the realm serves: 1 or 0."),
		revocations: desc("revocations_age_seconds",
			"Age of the copy of the revocations of all nodes."),
		clock: desc("clock_skew_seconds",
			"How far the store's clock is ahead of this node's."),
	}
}

// Describe lists the gauges.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	to <- g.queue
	to <- g.ready
	to <- g.revocations
	to <- g.clock
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
		}
		to <- prometheus.MustNewConstMetric(g.ready, prometheus.GaugeValue, ready, name)
	}
}

var _ prometheus.Collector = (*gauges)(nil)

package caddymodule

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/edgeauth/edgeauth/authcore"
)

// Dashboard and alert rules use metrics that exist, and the dashboard shows all.
func TestDashboardAndAlertsNameMetrics(t *testing.T) {
	exist := describedMetrics()
	shown := map[string]bool{}
	for _, file := range []string{"../deploy/grafana/dashboard.json", "../deploy/prometheus/alerts.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("ReadFile: %v", err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(text) {
			t.Errorf("%s is not valid JSON", file)
		}
		for _, name := range regexp.MustCompile(`\bedgeauth_[a-z_]+`).FindAllString(string(text), -1) {
			if base := strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"); exist[base] != nil {
				shown[base] = true
			} else {
				t.Errorf("%s uses %s, want a metric that exists", file, name)
			}
		}
	}
	for name := range exist {
		if !shown[name] {
			t.Errorf("dashboard and alert rules do not use %s", name)
		}
	}
}

// TestQueriesGroupByLabels checks that dashboard and alert rules group by labels that the
// metric has: PromQL treats others as empty.
func TestQueriesGroupByLabels(t *testing.T) {
	metrics := describedMetrics()
	grouped := regexp.MustCompile(`by \(([^)]*)\)[ a-z(]*?\b(edgeauth_[a-z_]+)`)
	for _, file := range []string{"../deploy/grafana/dashboard.json", "../deploy/prometheus/alerts.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("ReadFile: %v", err)
		}
		queries := grouped.FindAllStringSubmatch(string(text), -1)
		if len(queries) == 0 {
			t.Errorf("%s groups nothing", file)
		}
		for _, query := range queries {
			labels := metrics[strings.TrimSuffix(strings.TrimSuffix(query[2], "_bucket"), "_count")]
			for label := range strings.SplitSeq(query[1], ", ") {
				if label != "le" && label != "instance" && !slices.Contains(labels, label) {
					t.Errorf("%s groups %s by %s, want one of %v", file, query[2], label, labels)
				}
			}
		}
	}
}

// describedMetrics returns the labels of each metric.
func describedMetrics() map[string][]string {
	described := make(chan *prometheus.Desc)
	go func() {
		defer close(described)
		for _, collector := range append(newMetrics().collectors, newGauges(nil)) {
			collector.Describe(described)
		}
	}()
	fields := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	metrics := map[string][]string{}
	for desc := range described {
		found := fields.FindStringSubmatch(desc.String())
		metrics[found[1]] = strings.Split(found[2], ",")
	}
	return metrics
}

// TestDocumentedMetrics compares the table of docs/monitoring.md with the metrics and their labels.
func TestDocumentedMetrics(t *testing.T) {
	text, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatalf("ReadFile: %v", err)
	}
	documented := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`edgeauth_[^|]+) \\| ([a-z, ]+) \\|").FindAllStringSubmatch(string(text), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			documented[strings.Trim(name, "`")] = strings.Split(row[2], ", ")
		}
	}
	for name, labels := range describedMetrics() {
		if !slices.Equal(documented[name], labels) {
			t.Errorf("docs/monitoring.md has %s with the labels %v, want %v", name, documented[name], labels)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("docs/monitoring.md has %s, which does not exist", name)
	}
}

// TestDocumentedEvents compares the table of docs/monitoring.md with the events.
func TestDocumentedEvents(t *testing.T) {
	text, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatalf("ReadFile: %v", err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`edgeauth\\.[^|]+) \\| [^`]").FindAllStringSubmatch(string(text), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			documented[strings.Trim(name, "`")] = true
		}
	}
	for _, name := range authcore.EventNames() {
		if !documented["edgeauth."+string(name)] {
			t.Errorf("docs/monitoring.md does not have the event %s", name)
		}
		delete(documented, "edgeauth."+string(name))
	}
	for name := range documented {
		t.Errorf("docs/monitoring.md has the event %s, which does not exist", name)
	}
}

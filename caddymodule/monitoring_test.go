package caddymodule

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Dashboard and alert rules use metrics that exist, and the dashboard shows all.
func TestDashboardAndAlertsNameMetrics(t *testing.T) {
	exist := map[string]bool{}
	described := make(chan *prometheus.Desc)
	go func() {
		defer close(described)
		for _, collector := range append(newMetrics().collectors(), newGauges(nil)) {
			collector.Describe(described)
		}
	}()
	fqName := regexp.MustCompile(`fqName: "([^"]+)"`)
	for desc := range described {
		exist[fqName.FindStringSubmatch(desc.String())[1]] = true
	}
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
			if base := strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"); exist[base] {
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

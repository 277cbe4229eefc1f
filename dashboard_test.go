package edgeauth_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The variable of the dashboard offers each realm, also the default one, whose label is
// empty. A query with the value of a realm has the series of this realm only, and one with
// two values has both. Grafana joins values with the format pipe as they are.
func TestDashboardSelectsRealms(t *testing.T) {
	promtool := tool(t, "promtool")
	text, err := os.ReadFile("deploy/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Templating struct {
			List []struct {
				Name, Regex, AllValue string
				Query                 json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	variable := dashboard.Templating.List[1]
	var query struct{ Query string }
	if err := json.Unmarshal(variable.Query, &query); err != nil || variable.Name != "realm" {
		t.Fatalf("the second variable is %s, %v, want realm", variable.Name, err)
	}
	expr := strings.TrimSuffix(strings.TrimPrefix(query.Query, "query_result("), ")")
	// Grafana matches the regular expression with the lines of the result.
	option := regexp.MustCompile(strings.Trim(variable.Regex, "/"))
	for line, want := range map[string]string{
		`{text="default realm", value="()"} 2 0`:         "default realm ()",
		`{realm="staff", text="staff", value="staff"} 1`: "staff staff",
	} {
		if got := option.ReplaceAllString(option.FindString(line), "$text $value"); got != want {
			t.Errorf("option of %s = %q, want %q", line, got, want)
		}
	}
	if n := strings.Count(string(text), `realm=~\"${realm:pipe}\"`); n == 0 || n != strings.Count(string(text), "realm=~") {
		t.Errorf("%d of %d queries select the realm as it is", n, strings.Count(string(text), "realm=~"))
	}
	type sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
	type check struct {
		Expr    string   `json:"expr"`
		Samples []sample `json:"exp_samples"`
	}
	first, second := sample{`edgeauth_ready{instance="a"}`, 1}, sample{`edgeauth_ready{instance="b"}`, 1}
	staff := sample{`edgeauth_ready{instance="a", realm="staff"}`, 1}
	checks := []check{{expr, []sample{{`{text="default realm", value="()"}`, 2}, {`{realm="staff", text="staff", value="staff"}`, 1}}}}
	for value, want := range map[string][]sample{
		"()": {first, second}, "staff": {staff}, "()|staff": {first, second, staff}, variable.AllValue: {first, second, staff},
	} {
		checks = append(checks, check{`edgeauth_ready{realm=~"` + value + `"}`, want})
	}
	test, err := json.Marshal(map[string]any{"tests": []any{map[string]any{
		"input_series": []any{
			map[string]string{"series": first.Labels, "values": "1"},
			map[string]string{"series": second.Labels, "values": "1"},
			map[string]string{"series": staff.Labels, "values": "1"},
		},
		"promql_expr_test": checks,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.json") // JSON is YAML, too
	if err := os.WriteFile(file, test, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
}

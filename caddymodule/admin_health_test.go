package caddymodule

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// probe returns status and body of a health check.
func probe(t *testing.T, method, url string) (int, health) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatalf("NewRequest(%s): %v", url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("sending %s %s failed: %v", method, url, err)
	}
	defer response.Body.Close()
	var state health
	_ = json.NewDecoder(response.Body).Decode(&state) // a refusal has another body
	return response.StatusCode, state
}

func TestHealth(t *testing.T) {
	_, address := withAdmin(t)
	base := "http://" + address + "/edgeauth/health/"
	if status, _ := probe(t, http.MethodGet, base+"live"); status != http.StatusOK {
		t.Errorf("GET live = %d, want 200", status)
	}
	status, state := probe(t, http.MethodGet, base+"ready")
	if status != http.StatusOK || !state.Ready {
		t.Errorf("GET ready = %d, %+v, want 200 and ready", status, state)
	}
	for _, name := range []string{checkServing, checkStore} {
		if !slices.ContainsFunc(state.Checks, func(c healthCheck) bool { return c.Name == name && c.OK }) {
			t.Errorf("GET ready = %+v, want the check %s", state.Checks, name)
		}
	}
	if status, _ := probe(t, http.MethodPost, base+"ready"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST ready = %d, want 405", status)
	}
}

// A realm that has not started makes the node not ready, with a reason.
func TestHealthOfARealmThatDoesNotServe(t *testing.T) {
	app := &App{Realms: map[string]*Realm{"main": {}}}
	state := app.health()
	if state.Ready || len(state.Checks) != 1 || state.Checks[0].Name != checkServing || state.Checks[0].Realm != "main" || state.Checks[0].Detail == "" {
		t.Errorf("health() = %+v, want a realm that does not serve", state)
	}
}

func TestHealthWithoutTheApp(t *testing.T) {
	load(t, "{\n\tadmin off\n}\n")
	if state := activeHealth(); state.Ready || state.Checks[0].Name != checkConfigured {
		t.Errorf("activeHealth() = %+v, want the check %s", state, checkConfigured)
	}
}

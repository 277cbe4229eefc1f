package pages_test

import (
	"testing"

	"github.com/edgeauth/edgeauth/pages"
)

// A path is below the prefix if it is after an upstream has resolved it. Each request of
// the application is asked about, so that a clean path takes no memory.
func TestOwns(t *testing.T) {
	h, err := pages.New(pages.Options{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/auth": true, "/auth/": true, "/auth/link/x": true, "auth/link": true, "//auth": true, "/x/../auth/": true,
		"": false, "/": false, "/api/items": false, "/authority": false, "/auth/../x": false, "/auth/./../": false, "/AUTH": false,
	} {
		if got := h.Owns(path); got != want {
			t.Errorf("Owns(%q) = %t, want %t", path, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { h.Owns("/api/items") }); n != 0 {
		t.Errorf("Owns of a clean path takes %.0f allocations, want none", n)
	}
}

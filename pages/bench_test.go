package pages_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkPages renders pages one after the other, as the handler answers requests.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	user := w.browser()
	user.ask(ann, "/")
	link := w.mails.path()
	user.post(link).must(http.StatusSeeOther)
	sent := user.ask(ann, "/")
	for _, page := range []struct {
		name, path string
		signedIn   bool
	}{
		{"sign_in", "/auth/", false}, {"code", sent, true}, {"link", w.mails.path(), true}, {"account", "/auth/account", true}, {"signed_out", "/auth/signed-out", false},
	} {
		b.Run(page.name, func(b *testing.B) {
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, page.path, http.NoBody)
			r.Header.Set("User-Agent", firefox)
			r.Header.Set("Accept-Language", "de-AT,de;q=0.9,en;q=0.8")
			if page.signedIn {
				for name, value := range user.cookies {
					r.AddCookie(&http.Cookie{Name: name, Value: value})
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				recorder := httptest.NewRecorder()
				if w.handler.ServeHTTP(recorder, r); recorder.Code != http.StatusOK {
					b.Fatalf("GET %s = %d, want 200", page.path, recorder.Code)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}

package httpapi

import "testing"

func TestAcceptsGzip(t *testing.T) {
	for value, want := range map[string]bool{
		"":                        false,
		"gzip":                    true,
		"GZip":                    true,
		"x-gzip":                  true,
		"br, gzip":                true,
		"br;q=1.0, gzip;q=0.5":    true,
		"gzip ; q=0.001":          true,
		"gzip;q=0":                false,
		"gzip; q=0.000":           false,
		"gzip;Q=0":                false,
		"identity":                false,
		"*":                       false,
		"gzipped":                 false,
		"deflate;gzip":            false,
		",,gzip":                  true,
		"gzip;level=9":            true,
		"\xff;q=\x00,=;,;;q,gzip": true,
	} {
		if got := acceptsGzip([]string{value}); got != want {
			t.Errorf("acceptsGzip(%q) = %t, want %t", value, got, want)
		}
	}
	if !acceptsGzip([]string{"br", "gzip"}) {
		t.Error("acceptsGzip of two fields = false, want true")
	}
}

func FuzzOwnOrigin(f *testing.F) {
	f.Add("https://a.example", "a.example")
	f.Add("https://a.example:443", "A.EXAMPLE")
	f.Add("null", "")
	f.Add("https://:443", "")
	f.Add("https://a.example@b.example", "a.example")
	f.Fuzz(func(t *testing.T, origin, host string) {
		own := isOwnOrigin([]string{origin}, host)
		if own && host == "" {
			t.Errorf("isOwnOrigin(%q, %q) = true, want false", origin, host)
		}
		if foreign := isOwnOrigin([]string{"https://x." + host + ".evil.example"}, host); foreign {
			t.Errorf("isOwnOrigin of a sub-domain of another host than %q = true, want false", host)
		}
	})
}

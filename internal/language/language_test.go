package language

import (
	"slices"
	"testing"
	"time"
)

func TestLookup(t *testing.T) {
	for wish, want := range map[string][]string{
		"de":            {"de"},
		"de-AT":         {"de-at", "de"},
		"de_AT":         {"de-at", "de"},
		"zh-Hant-TW":    {"zh-hant-tw", "zh-hant", "zh"},
		"de-x-private":  {"de-x-private", "de"},
		"":              nil,
		"../../etc":     nil,
		"de;q=0.9":      nil,
		"de-\r\nX: y":   nil,
		"*":             nil,
		"thelongestone": nil,
	} {
		if got := Lookup(wish); !slices.Equal(got, want) {
			t.Errorf("Lookup(%q) = %v, want %v", wish, got, want)
		}
	}
}

// The order of preferred languages is that of their weights.
func TestPreferred(t *testing.T) {
	for list, want := range map[string][]string{
		"de, fr":                      {"de", "fr"},
		"de;q=0.1, fr":                {"fr", "de"},
		"de;Q=0.1, fr":                {"fr", "de"},
		"fr; q=0.2 , it ; q = 0.9":    {"it", "fr"},
		"*, ja;q=0.5":                 {"ja"},
		",,;q=1,it":                   {"it"},
		"de;q=0, fr;q=NaN, it;q=x,ja": {"ja"},
		"\r\n":                        nil,
	} {
		if got := Preferred(list); !slices.Equal(got, want) {
			t.Errorf("Preferred(%q) = %v, want %v", list, got, want)
		}
	}
}

func TestInWords(t *testing.T) {
	for _, tt := range []struct {
		d      time.Duration
		locale string
		want   string
	}{
		{15 * time.Minute, "en", "15 minutes"},
		{time.Minute, "en", "1 minute"},
		{90 * time.Second, "en", "1 minute 30 seconds"},
		{time.Hour, "en", "1 hour"},
		{90 * time.Minute, "en", "1 hour 30 minutes"},
		{24*time.Hour + time.Minute, "en", "1 day"},
		{49*time.Hour + 59*time.Minute, "en", "2 days 1 hour"},
		{1500 * time.Millisecond, "en", "1 second"},
		{0, "en", "0 seconds"},
		{15 * time.Minute, "de", "15 Minuten"},
		{25 * time.Hour, "de-at", "1 Tag 1 Stunde"},
		{15 * time.Minute, "sv", "15 minutes"},
		{0, "fr", "0 seconde"},
		{22 * time.Minute, "ru", "22 минуты"},
		{11 * time.Minute, "uk", "11 хвилин"},
		{21 * time.Hour, "pl", "21 godzin"},
		{3 * time.Hour, "ar", "3 ساعات"},
		{15 * time.Minute, "zh-hans", "15 分钟"},
	} {
		if got := InWords(tt.d, tt.locale); got != tt.want {
			t.Errorf("InWords(%s, %s) = %q, want %q", tt.d, tt.locale, got, tt.want)
		}
	}
}

func TestBrowser(t *testing.T) {
	for userAgent, want := range map[string]string{
		"": "", "curl/8.0": "", "<script>alert(1)</script>\r\nX": "",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0":           "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                            "Chrome, Android",
		"MyApp/1.0 (Android 15)": "Android",
	} {
		if got := Browser(userAgent); got != want {
			t.Errorf("Browser(%q) = %q, want %q", userAgent, got, want)
		}
	}
}

// TestUnits requires every form of every unit in every language.
func TestUnits(t *testing.T) {
	for _, tag := range Tags() {
		names := unitsOf(tag)
		for _, forms := range [][]string{names.day, names.hour, names.minute, names.second} {
			for n := range int64(200) {
				if i := names.plural(n); i >= len(forms) || forms[i] == "" {
					t.Errorf("%s: form %d for %d is missing in %q", tag, i, n, forms)
				}
			}
		}
	}
}

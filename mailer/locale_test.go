package mailer

import (
	"slices"
	"testing"
	"time"
)

func TestLookupTags(t *testing.T) {
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
		if got := lookupTags(wish); !slices.Equal(got, want) {
			t.Errorf("lookupTags(%q) = %v, want %v", wish, got, want)
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
		if got := inWords(tt.d, tt.locale); got != tt.want {
			t.Errorf("inWords(%s, %s) = %q, want %q", tt.d, tt.locale, got, tt.want)
		}
	}
}

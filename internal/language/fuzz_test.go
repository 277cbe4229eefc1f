package language

import (
	"slices"
	"strings"
	"testing"
)

func FuzzChoose(f *testing.F) {
	for _, list := range []string{"", "de-AT, fr;q=0.5", "pt_BR;q=1", "zh-Hant-TW;q=0.001", "*;q=0", "en;q=NaN", "en;q=-1, de;q=1e400", strings.Repeat("de,", 100)} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		if got := Choose(Tags(), list); !slices.Contains(Tags(), got) {
			t.Errorf("Choose(%q) = %q, want one of the languages", list, got)
		}
		tags := Preferred(list)
		if len(tags) > maxWishes*32 { // a tag of 64 bytes has at most 32 prefixes
			t.Errorf("Preferred(%q) returns %d tags, want a limited number", list, len(tags))
		}
		for _, tag := range tags {
			if !tagFormat.MatchString(tag) {
				t.Errorf("Preferred(%q) contains %q, want tags only", list, tag)
			}
		}
	})
}

func FuzzBrowser(f *testing.F) {
	for _, agent := range []string{"", "curl/8.0", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Edg\x00<script>Windows"} {
		f.Add(agent)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ, "
		if got := Browser(agent); len(got) > 40 || strings.Trim(got, letters) != "" {
			t.Errorf("Browser(%q) = %q, want names of the lists", agent, got)
		}
	})
}

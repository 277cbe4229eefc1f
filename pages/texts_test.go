package pages

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/internal/language"
)

// Every text exists in each language, has the placeholders of the English text, and is
// translated.
func TestTextsAreComplete(t *testing.T) {
	placeholder := regexp.MustCompile(`\{\w+\}`)
	english := reflect.ValueOf(textsOf(language.Default))
	files, err := catalogue.ReadDir("texts")
	if err != nil || len(files) != len(language.Tags()) {
		t.Fatalf("there are %d files of texts, %v, want %d", len(files), err, len(language.Tags()))
	}
	for _, tag := range language.Tags() {
		content, err := catalogue.ReadFile("texts/" + tag + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts Texts
		decoder := json.NewDecoder(bytes.NewReader(content))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&texts); err != nil {
			t.Errorf("texts of %s: %v", tag, err)
		}
		value, same := reflect.ValueOf(texts), 0
		for i := range value.NumField() {
			name, text, want := value.Type().Field(i).Name, value.Field(i).String(), english.Field(i).String()
			if text == "" {
				t.Errorf("%s: %s is missing", tag, name)
			}
			got, wanted := placeholder.FindAllString(text, -1), placeholder.FindAllString(want, -1)
			slices.Sort(got)
			slices.Sort(wanted)
			if !slices.Equal(got, wanted) {
				t.Errorf("%s: %s has the placeholders %v, want %v", tag, name, got, wanted)
			}
			if text == want {
				same++
			}
		}
		if tag != language.Default && same > 5 {
			t.Errorf("%s: %d texts are English", tag, same)
		}
	}
}

// Spans of time have the plural forms of the language, by CLDR.
func TestPluralForms(t *testing.T) {
	for tag, want := range map[string][]string{
		"en": {"1 minute", "2 minutes"}, "de": {"1 Minute", "2 Minuten"}, "fr": {"1 minute", "2 minutes"},
		"es": {"1 minuto", "2 minutos"}, "it": {"1 minuto", "2 minuti"}, "pt-br": {"1 minuto", "2 minutos"}, "nl": {"1 minuut", "2 minuten"},
		"pl": {"1 minuta", "2 minuty", "5 minut", "12 minut", "22 minuty", "25 minut"},
		"uk": {"1 хвилина", "2 хвилини", "5 хвилин", "11 хвилин", "21 хвилина", "22 хвилини"},
		"ru": {"1 минута", "2 минуты", "5 минут", "11 минут", "21 минута", "22 минуты"},
		"tr": {"1 dakika", "2 dakika"}, "ja": {"1 分", "2 分"}, "zh-hans": {"1 分钟", "2 分钟"},
		"ar": {"1 دقيقة", "2 دقيقتان", "5 دقائق", "11 دقيقة"},
	} {
		counts := map[string][]int{"pl": {1, 2, 5, 12, 22, 25}, "uk": {1, 2, 5, 11, 21, 22}, "ru": {1, 2, 5, 11, 21, 22}, "ar": {1, 2, 5, 11}}[tag]
		if counts == nil {
			counts = []int{1, 2}
		}
		for i, n := range counts {
			if got := language.InWords(time.Duration(n)*time.Minute, tag); got != want[i] {
				t.Errorf("InWords(%d minutes, %s) = %q, want %q", n, tag, got, want[i])
			}
		}
	}
}

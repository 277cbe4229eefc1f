package mailer

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultLocale is the language of the mail if no preferred one is available.
const defaultLocale = "en"

// maxWishes limits the languages in a list that are considered.
const maxWishes = 20

// languageTag matches the format of a BCP 47 tag (RFC 5646, section 2.1).
var languageTag = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]{1,8})*$`)

// normalizeTag returns a tag in lower case with hyphens; "de_AT" is common.
func normalizeTag(tag string) string {
	return strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
}

// preferredTags returns the tags to try for a list of preferred languages, the best
// first: "de-AT, fr;q=0.5".
func preferredTags(list string) []string {
	type wish struct {
		tag    string
		weight float64
	}
	var wishes []wish
	for i, entry := range strings.SplitN(list, ",", maxWishes+1) {
		tag, parameter, _ := strings.Cut(entry, ";")
		weight := 1.0
		if text, found := strings.CutPrefix(strings.ReplaceAll(parameter, " ", ""), "q="); found {
			var err error
			if weight, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		if i < maxWishes && weight > 0 {
			wishes = append(wishes, wish{strings.TrimSpace(tag), weight})
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		default:
			return 0
		}
	})
	var tags []string
	for _, one := range wishes {
		tags = append(tags, lookupTags(one.tag)...)
	}
	return tags
}

// lookupTags returns the tags to try for a preferred one, the best first (RFC 4647,
// section 3.4): "zh-hant-tw", "zh-hant", "zh".
func lookupTags(wish string) []string {
	const longest = 64 // longer than any tag in use
	tag := normalizeTag(wish)
	if len(tag) > longest || !languageTag.MatchString(tag) {
		return nil
	}
	subtags := strings.Split(tag, "-")
	var tags []string
	for n := len(subtags); n > 0; n-- {
		if len(subtags[n-1]) > 1 { // a single letter is a prefix of the next subtag
			tags = append(tags, strings.Join(subtags[:n], "-"))
		}
	}
	return tags
}

// canonicalTag maps tags to those of the catalogue.
func canonicalTag(tag string) string {
	switch tag {
	case "pt":
		return "pt-br"
	case "zh":
		return "zh-hans"
	default:
		return tag
	}
}

// directionOf returns the direction of a language.
func directionOf(locale string) string {
	switch language, _, _ := strings.Cut(locale, "-"); language {
	case "ar", "fa", "he", "ur":
		return "rtl"
	default:
		return "ltr"
	}
}

// inWords returns a duration in its two largest units, rounded down: the mail must not
// promise more time than the link has.
func inWords(d time.Duration, locale string) string {
	names := phrasesOf(locale).units
	units := []struct {
		length time.Duration
		names  []string
	}{{24 * time.Hour, names.day}, {time.Hour, names.hour}, {time.Minute, names.minute}, {time.Second, names.second}}

	var words []string
	for _, unit := range units {
		count := int64(d / unit.length)
		d %= unit.length
		if count > 0 {
			words = append(words, fmt.Sprintf("%d %s", count, unit.names[names.plural(count)]))
		}
		if len(words) == 2 || len(words) == 1 && count == 0 {
			break
		}
	}
	if len(words) == 0 {
		return "0 " + names.second[names.plural(0)]
	}
	return strings.Join(words, " ")
}

// The plural rules of CLDR for whole numbers. Each returns the index of a form.

// onePlural is for languages with one form.
func onePlural(int64) int { return 0 }

// twoPlurals distinguishes 1 from other numbers.
func twoPlurals(n int64) int {
	if n == 1 {
		return 0
	}
	return 1
}

// frenchPlurals treats 0 like 1, as in French and Brazilian Portuguese.
func frenchPlurals(n int64) int {
	if n <= 1 {
		return 0
	}
	return 1
}

// eastSlavicPlurals is for Russian and Ukrainian: 1, 2 to 4, others.
func eastSlavicPlurals(n int64) int {
	switch {
	case n%10 == 1 && n%100 != 11:
		return 0
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return 1
	default:
		return 2
	}
}

// polishPlurals is for Polish: exactly 1, 2 to 4, others.
func polishPlurals(n int64) int {
	switch {
	case n == 1:
		return 0
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return 1
	default:
		return 2
	}
}

// arabicPlurals is for Arabic: 1, 2, 3 to 10, 11 to 99, others.
func arabicPlurals(n int64) int {
	switch {
	case n == 1:
		return 0
	case n == 2:
		return 1
	case n%100 >= 3 && n%100 <= 10:
		return 2
	case n%100 >= 11:
		return 3
	default:
		return 4
	}
}

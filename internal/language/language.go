package language

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Default is the language if no preferred one is available.
const Default = "en"

// maxWishes limits the languages in a list that are considered.
const maxWishes = 20

// tagFormat matches the format of a BCP 47 tag (RFC 5646, section 2.1).
var tagFormat = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]{1,8})*$`)

// Normalize returns a tag in lower case with hyphens; "de_AT" is common.
func Normalize(tag string) string {
	return strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
}

// IsTag reports whether a text has the format of a tag, in any case.
func IsTag(text string) bool { return tagFormat.MatchString(Normalize(text)) }

// Preferred returns the tags to try for a list of preferred languages, the best
// first: "de-AT, fr;q=0.5".
func Preferred(list string) []string {
	type wish struct {
		tag    string
		weight float64
	}
	var wishes []wish
	for i, entry := range strings.SplitN(list, ",", maxWishes+1) {
		tag, parameter, _ := strings.Cut(entry, ";")
		weight := 1.0
		if text, found := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(parameter, " ", "")), "q="); found {
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
		tags = append(tags, Lookup(one.tag)...)
	}
	return tags
}

// Lookup returns the tags to try for a preferred one, the best first (RFC 4647,
// section 3.4): "zh-hant-tw", "zh-hant", "zh".
func Lookup(wish string) []string {
	const longest = 64 // longer than any tag in use
	tag := Normalize(wish)
	if len(tag) > longest || !tagFormat.MatchString(tag) {
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

// Direction returns the direction of a language.
func Direction(locale string) string {
	switch language, _, _ := strings.Cut(locale, "-"); language {
	case "ar", "fa", "he", "ur":
		return "rtl"
	default:
		return "ltr"
	}
}

// InWords returns a duration in its two largest units, rounded down: a text must
// not promise more time than there is.
func InWords(d time.Duration, locale string) string {
	names := unitsOf(locale)
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

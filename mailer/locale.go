package mailer

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// defaultLocale is the language of the mail when no better one is there.
const defaultLocale = "en"

// languageTag matches the shape of a BCP 47 tag (RFC 5646, section 2.1).
var languageTag = regexp.MustCompile(`^[a-z]{2,8}(-[a-z0-9]{1,8})*$`)

// normalizeTag returns a tag in lower case with hyphens; "de_AT" is common.
func normalizeTag(tag string) string {
	return strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
}

// lookupTags returns the tags to try for a wished one, the best first (RFC 4647,
// section 3.4): "zh-hant-tw", "zh-hant", "zh".
func lookupTags(wish string) []string {
	const longest = 64 // far longer than any tag in use
	tag := normalizeTag(wish)
	if len(tag) > longest || !languageTag.MatchString(tag) {
		return nil
	}
	subtags := strings.Split(tag, "-")
	var tags []string
	for n := len(subtags); n > 0; n-- {
		if len(subtags[n-1]) > 1 { // a single letter only introduces what follows
			tags = append(tags, strings.Join(subtags[:n], "-"))
		}
	}
	return tags
}

// unitNames are the words of a language for one and for many.
type unitNames struct{ day, hour, minute, second [2]string }

func unitNamesOf(locale string) unitNames {
	if language, _, _ := strings.Cut(locale, "-"); language == "de" {
		return unitNames{
			day: [2]string{"Tag", "Tage"}, hour: [2]string{"Stunde", "Stunden"},
			minute: [2]string{"Minute", "Minuten"}, second: [2]string{"Sekunde", "Sekunden"},
		}
	}
	return unitNames{
		day: [2]string{"day", "days"}, hour: [2]string{"hour", "hours"},
		minute: [2]string{"minute", "minutes"}, second: [2]string{"second", "seconds"},
	}
}

// inWords says a duration in its two biggest units. It rounds down: the mail
// must not promise more than the link keeps.
func inWords(d time.Duration, locale string) string {
	names := unitNamesOf(locale)
	units := []struct {
		length time.Duration
		names  [2]string
	}{{24 * time.Hour, names.day}, {time.Hour, names.hour}, {time.Minute, names.minute}, {time.Second, names.second}}

	var words []string
	for _, unit := range units {
		count := int64(d / unit.length)
		d %= unit.length
		if count > 0 {
			name := unit.names[1]
			if count == 1 {
				name = unit.names[0]
			}
			words = append(words, fmt.Sprintf("%d %s", count, name))
		}
		if len(words) == 2 || len(words) == 1 && count == 0 {
			break
		}
	}
	if len(words) == 0 {
		return "0 " + names.second[1]
	}
	return strings.Join(words, " ")
}

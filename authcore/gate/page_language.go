package gate

import (
	"strconv"
	"strings"
)

// pageLanguages are the primary subtags of the languages of pageTexts.
const pageLanguages = " en de fr es it pt nl pl uk ru tr ar ja zh "

// maxLanguages limits the elements of an Accept-Language header that are considered.
const maxLanguages = 16

// acceptedLanguage returns the primary subtag of the best available language of an
// Accept-Language header (RFC 9110, section 12.5.4), or "".
func acceptedLanguage(values []string) (best string) {
	header, most := strings.Join(values, ","), 0.0
	for range maxLanguages {
		element, rest, more := strings.Cut(header, ",")
		tag, parameter, _ := strings.Cut(element, ";")
		language, _, _ := strings.Cut(strings.ToLower(strings.Trim(tag, blanks)), "-")
		if weight := languageWeight(parameter); weight > most && len(language) == 2 && strings.Contains(pageLanguages, " "+language+" ") {
			best, most = language, weight
		}
		if header = rest; !more {
			break
		}
	}
	return best
}

// languageWeight returns the weight of an element, which is 1 by default. An invalid one
// is 0.
func languageWeight(parameter string) float64 {
	text, weighted := strings.CutPrefix(strings.Trim(parameter, blanks), "q=")
	if !weighted {
		return 1
	}
	weight, err := strconv.ParseFloat(text, 64)
	if err != nil || !(weight >= 0 && weight <= 1) {
		return 0
	}
	return weight
}

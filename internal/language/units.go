package language

import "slices"

// units are the words of a language for units of time, in the forms that plural numbers.
type units struct {
	plural                    func(int64) int
	day, hour, minute, second []string
}

// unitsOf returns the words of a language, or the English ones.
func unitsOf(locale string) units {
	for _, tag := range Lookup(locale) {
		if known, found := allUnits()[Canonical(tag)]; found {
			return known
		}
	}
	return allUnits()[Default]
}

// Tags returns the languages of the built-in texts, sorted.
func Tags() []string {
	return []string{"ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt-br", "ru", "tr", "uk", "zh-hans"}
}

// Choose returns the first of the preferred languages that is available, a list in the
// form of Accept-Language, otherwise Default.
func Choose(available []string, preferred string) string {
	for _, tag := range Preferred(preferred) {
		for _, one := range []string{tag, Canonical(tag)} {
			if slices.Contains(available, one) {
				return one
			}
		}
	}
	return Default
}

// Canonical maps tags to those of Tags.
func Canonical(tag string) string {
	switch tag {
	case "pt":
		return "pt-br"
	case "zh":
		return "zh-hans"
	default:
		return tag
	}
}

func allUnits() map[string]units {
	return map[string]units{
		"ar": {
			plural: arabicPlurals, day: []string{"يوم", "يومان", "أيام", "يومًا", "يوم"}, hour: []string{"ساعة", "ساعتان", "ساعات", "ساعة", "ساعة"}, minute: []string{"دقيقة", "دقيقتان", "دقائق", "دقيقة", "دقيقة"}, second: []string{"ثانية", "ثانيتان", "ثوانٍ", "ثانية", "ثانية"},
		},
		"de": {
			plural: twoPlurals, day: []string{"Tag", "Tage"}, hour: []string{"Stunde", "Stunden"}, minute: []string{"Minute", "Minuten"}, second: []string{"Sekunde", "Sekunden"},
		},
		"en": {
			plural: twoPlurals, day: []string{"day", "days"}, hour: []string{"hour", "hours"}, minute: []string{"minute", "minutes"}, second: []string{"second", "seconds"},
		},
		"es": {
			plural: twoPlurals, day: []string{"día", "días"}, hour: []string{"hora", "horas"}, minute: []string{"minuto", "minutos"}, second: []string{"segundo", "segundos"},
		},
		"fr": {
			plural: frenchPlurals, day: []string{"jour", "jours"}, hour: []string{"heure", "heures"}, minute: []string{"minute", "minutes"}, second: []string{"seconde", "secondes"},
		},
		"it": {
			plural: twoPlurals, day: []string{"giorno", "giorni"}, hour: []string{"ora", "ore"}, minute: []string{"minuto", "minuti"}, second: []string{"secondo", "secondi"},
		},
		"ja": {
			plural: onePlural, day: []string{"日"}, hour: []string{"時間"}, minute: []string{"分"}, second: []string{"秒"},
		},
		"nl": {
			plural: twoPlurals, day: []string{"dag", "dagen"}, hour: []string{"uur", "uur"}, minute: []string{"minuut", "minuten"}, second: []string{"seconde", "seconden"},
		},
		"pl": {
			plural: polishPlurals, day: []string{"dzień", "dni", "dni"}, hour: []string{"godzina", "godziny", "godzin"}, minute: []string{"minuta", "minuty", "minut"}, second: []string{"sekunda", "sekundy", "sekund"},
		},
		"pt-br": {
			plural: frenchPlurals, day: []string{"dia", "dias"}, hour: []string{"hora", "horas"}, minute: []string{"minuto", "minutos"}, second: []string{"segundo", "segundos"},
		},
		"ru": {
			plural: eastSlavicPlurals, day: []string{"день", "дня", "дней"}, hour: []string{"час", "часа", "часов"}, minute: []string{"минута", "минуты", "минут"}, second: []string{"секунда", "секунды", "секунд"},
		},
		"tr": {
			plural: onePlural, day: []string{"gün"}, hour: []string{"saat"}, minute: []string{"dakika"}, second: []string{"saniye"},
		},
		"uk": {
			plural: eastSlavicPlurals, day: []string{"день", "дні", "днів"}, hour: []string{"година", "години", "годин"}, minute: []string{"хвилина", "хвилини", "хвилин"}, second: []string{"секунда", "секунди", "секунд"},
		},
		"zh-hans": {
			plural: onePlural, day: []string{"天"}, hour: []string{"小时"}, minute: []string{"分钟"}, second: []string{"秒"},
		},
	}
}

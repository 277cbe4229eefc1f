package gate

import (
	"strconv"
	"strings"
)

// rolePage returns the text of the page for a user who lacks a role, in the best language
// for an Accept-Language header. The texts are those of the package pages, from which
// this one cannot take them: it serves edges.
func rolePage(acceptLanguage []string, roles []string) pageContent {
	page := pageContent{
		title: "No access", text: "This page requires a role that your account does not have:", link: "Show my account",
	}
	switch language := acceptedLanguage(strings.Join(acceptLanguage, ",")); language {
	case "de":
		page = pageContent{"Kein Zugriff", "Diese Seite erfordert eine Rolle, die Ihr Konto nicht hat:", "Mein Konto anzeigen", language, nil}
	case "fr":
		page = pageContent{"Accès refusé", "Cette page exige un rôle que votre compte n’a pas :", "Afficher mon compte", language, nil}
	case "es":
		page = pageContent{"Sin acceso", "Esta página requiere un rol que tu cuenta no tiene:", "Ver mi cuenta", language, nil}
	case "it":
		page = pageContent{"Accesso negato", "Questa pagina richiede un ruolo che il tuo account non ha:", "Mostra il mio account", language, nil}
	case "pt":
		page = pageContent{"Sem acesso", "Esta página exige uma função que sua conta não tem:", "Mostrar minha conta", "pt-BR", nil}
	case "nl":
		page = pageContent{"Geen toegang", "Voor deze pagina is een rol nodig die je account niet heeft:", "Mijn account tonen", language, nil}
	case "pl":
		page = pageContent{"Brak dostępu", "Ta strona wymaga roli, której Twoje konto nie ma:", "Pokaż moje konto", language, nil}
	case "uk":
		page = pageContent{"Немає доступу", "Для цієї сторінки потрібна роль, якої немає у вашого облікового запису:", "Показати мій обліковий запис", language, nil}
	case "ru":
		page = pageContent{"Нет доступа", "Для этой страницы нужна роль, которой нет у вашей учётной записи:", "Показать мою учётную запись", language, nil}
	case "tr":
		page = pageContent{"Erişim yok", "Bu sayfa, hesabınızda olmayan bir rol gerektiriyor:", "Hesabımı göster", language, nil}
	case "ar":
		page = pageContent{"لا يمكن الوصول", "تتطلب هذه الصفحة دورًا لا يملكه حسابك:", "عرض حسابي", language, nil}
	case "ja":
		page = pageContent{"アクセスできません", "このページには、お使いのアカウントにないロールが必要です:", "アカウントを表示", language, nil}
	case "zh":
		page = pageContent{"无法访问", "此页面需要您的账户没有的角色：", "查看我的账户", "zh-Hans", nil}
	}
	page.roles = roles
	return page
}

// pageLanguages are the primary subtags of the languages of rolePage.
const pageLanguages = " en de fr es it pt nl pl uk ru tr ar ja zh "

// maxLanguages limits the elements of an Accept-Language header that are considered.
const maxLanguages = 16

// acceptedLanguage returns the primary subtag of the best available language of an
// Accept-Language header (RFC 9110, section 12.5.4), or "".
func acceptedLanguage(header string) (best string) {
	most := 0.0
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

package gate

// pageTexts are the texts of the pages for people in one language. Those about roles and
// outages are those of the package pages, from which this one cannot take them: it serves
// edges.
type pageTexts struct {
	// language is the language tag (RFC 5646).
	language string
	// ended is the title, and form the text of the page for a form whose session has ended.
	ended, form string
	// signIn is the title of the pages frame and page, and the link of all three.
	signIn, frame, page string
	// noAccess is the title of forbidden and of role, which lists the roles after it.
	noAccess, forbidden, role string
	// account is the link of the pages that refuse a user.
	account string
	// notAccepted is the title of crossSite.
	notAccepted, crossSite string
	// again is the title of unavailable.
	again, unavailable string
}

// textsFor returns the texts in the best language for an Accept-Language header.
func textsFor(acceptLanguage []string) pageTexts {
	switch acceptedLanguage(acceptLanguage) {
	case "de":
		return pageTexts{
			language:    "de",
			ended:       "Ihre Sitzung ist beendet",
			form:        "Es wurde nichts gesendet. Melden Sie sich in einem neuen Tab an und laden Sie dann diese Seite neu: Ihr Browser sendet das Formular noch einmal.",
			signIn:      "Anmelden",
			frame:       "Für diesen Teil der Seite müssen Sie sich anmelden.",
			page:        "Für diese Seite müssen Sie sich anmelden.",
			noAccess:    "Kein Zugriff",
			forbidden:   "Ihr Konto darf diese Seite nicht öffnen.",
			role:        "Diese Seite erfordert eine Rolle, die Ihr Konto nicht hat:",
			account:     "Mein Konto anzeigen",
			notAccepted: "Nicht angenommen",
			crossSite:   "Eine Seite einer anderen Website hat dies gesendet, daher wurde es nicht angenommen. Es wurde nichts geändert.",
			again:       "Bitte versuchen Sie es noch einmal",
			unavailable: "Der Dienst ist vorübergehend nicht verfügbar. Versuchen Sie es gleich noch einmal.",
		}
	case "fr":
		return pageTexts{
			language:    "fr",
			ended:       "Votre session a pris fin",
			form:        "Rien n’a été envoyé. Connectez-vous dans un nouvel onglet, puis rechargez cette page : votre navigateur renverra le formulaire.",
			signIn:      "Se connecter",
			frame:       "Cette partie de la page nécessite une connexion.",
			page:        "Cette page nécessite une connexion.",
			noAccess:    "Accès refusé",
			forbidden:   "Votre compte n’est pas autorisé à ouvrir cette page.",
			role:        "Cette page exige un rôle que votre compte n’a pas :",
			account:     "Afficher mon compte",
			notAccepted: "Demande non acceptée",
			crossSite:   "Cette demande vient d’une page d’un autre site et n’a donc pas été acceptée. Rien n’a été modifié.",
			again:       "Veuillez réessayer",
			unavailable: "Le service est temporairement indisponible. Réessayez dans un instant.",
		}
	case "es":
		return pageTexts{
			language:    "es",
			ended:       "Tu sesión ha terminado",
			form:        "No se ha enviado nada. Inicia sesión en una pestaña nueva y vuelve a cargar esta página: tu navegador enviará el formulario de nuevo.",
			signIn:      "Iniciar sesión",
			frame:       "Esta parte de la página requiere que inicies sesión.",
			page:        "Esta página requiere que inicies sesión.",
			noAccess:    "Sin acceso",
			forbidden:   "Tu cuenta no puede abrir esta página.",
			role:        "Esta página requiere un rol que tu cuenta no tiene:",
			account:     "Ver mi cuenta",
			notAccepted: "No aceptado",
			crossSite:   "Lo envió una página de otro sitio, así que no se aceptó. No se ha cambiado nada.",
			again:       "Vuelve a intentarlo",
			unavailable: "El servicio no está disponible temporalmente. Inténtalo de nuevo en un momento.",
		}
	case "it":
		return pageTexts{
			language:    "it",
			ended:       "La tua sessione è terminata",
			form:        "Non è stato inviato nulla. Accedi in una nuova scheda, poi ricarica questa pagina: il browser invierà di nuovo il modulo.",
			signIn:      "Accedi",
			frame:       "Per questa parte della pagina devi accedere.",
			page:        "Per questa pagina devi accedere.",
			noAccess:    "Accesso negato",
			forbidden:   "Il tuo account non può aprire questa pagina.",
			role:        "Questa pagina richiede un ruolo che il tuo account non ha:",
			account:     "Mostra il mio account",
			notAccepted: "Non accettato",
			crossSite:   "La richiesta veniva da una pagina di un altro sito, perciò non è stata accettata. Non è stato modificato nulla.",
			again:       "Riprova",
			unavailable: "Il servizio è temporaneamente non disponibile. Riprova tra un momento.",
		}
	case "pt":
		return pageTexts{
			language:    "pt-BR",
			ended:       "Sua sessão terminou",
			form:        "Nada foi enviado. Entre em uma nova aba e recarregue esta página: o navegador enviará o formulário novamente.",
			signIn:      "Entrar",
			frame:       "Esta parte da página exige que você entre.",
			page:        "Esta página exige que você entre.",
			noAccess:    "Sem acesso",
			forbidden:   "Sua conta não pode abrir esta página.",
			role:        "Esta página exige uma função que sua conta não tem:",
			account:     "Mostrar minha conta",
			notAccepted: "Não aceito",
			crossSite:   "O envio veio de uma página de outro site e por isso não foi aceito. Nada foi alterado.",
			again:       "Tente novamente",
			unavailable: "O serviço está temporariamente indisponível. Tente de novo em instantes.",
		}
	case "nl":
		return pageTexts{
			language:    "nl",
			ended:       "Je sessie is beëindigd",
			form:        "Er is niets verzonden. Log in op een nieuw tabblad en laad deze pagina opnieuw: je browser verstuurt het formulier dan nog een keer.",
			signIn:      "Inloggen",
			frame:       "Voor dit deel van de pagina moet je inloggen.",
			page:        "Voor deze pagina moet je inloggen.",
			noAccess:    "Geen toegang",
			forbidden:   "Je account mag deze pagina niet openen.",
			role:        "Voor deze pagina is een rol nodig die je account niet heeft:",
			account:     "Mijn account tonen",
			notAccepted: "Niet geaccepteerd",
			crossSite:   "Dit is verzonden door een pagina van een andere site en daarom niet geaccepteerd. Er is niets gewijzigd.",
			again:       "Probeer het opnieuw",
			unavailable: "De dienst is tijdelijk niet beschikbaar. Probeer het zo opnieuw.",
		}
	case "pl":
		return pageTexts{
			language:    "pl",
			ended:       "Twoja sesja się zakończyła",
			form:        "Nic nie zostało wysłane. Zaloguj się w nowej karcie, a potem odśwież tę stronę: przeglądarka wyśle formularz ponownie.",
			signIn:      "Zaloguj się",
			frame:       "Ta część strony wymaga zalogowania się.",
			page:        "Ta strona wymaga zalogowania się.",
			noAccess:    "Brak dostępu",
			forbidden:   "Twoje konto nie może otworzyć tej strony.",
			role:        "Ta strona wymaga roli, której Twoje konto nie ma:",
			account:     "Pokaż moje konto",
			notAccepted: "Nie przyjęto",
			crossSite:   "Wysłała to strona innej witryny, dlatego nie zostało to przyjęte. Nic się nie zmieniło.",
			again:       "Spróbuj ponownie",
			unavailable: "Usługa jest chwilowo niedostępna. Spróbuj ponownie za chwilę.",
		}
	case "uk":
		return pageTexts{
			language:    "uk",
			ended:       "Ваш сеанс завершено",
			form:        "Нічого не надіслано. Увійдіть у новій вкладці, а потім перезавантажте цю сторінку: браузер надішле форму ще раз.",
			signIn:      "Увійти",
			frame:       "Для цієї частини сторінки потрібно увійти.",
			page:        "Для цієї сторінки потрібно увійти.",
			noAccess:    "Немає доступу",
			forbidden:   "Ваш обліковий запис не має права відкрити цю сторінку.",
			role:        "Для цієї сторінки потрібна роль, якої немає у вашого облікового запису:",
			account:     "Показати мій обліковий запис",
			notAccepted: "Не прийнято",
			crossSite:   "Це надіслала сторінка іншого сайту, тому запит не прийнято. Нічого не змінено.",
			again:       "Спробуйте ще раз",
			unavailable: "Сервіс тимчасово недоступний. Спробуйте за мить.",
		}
	case "ru":
		return pageTexts{
			language:    "ru",
			ended:       "Ваш сеанс завершён",
			form:        "Ничего не отправлено. Войдите в новой вкладке и перезагрузите эту страницу: браузер отправит форму ещё раз.",
			signIn:      "Войти",
			frame:       "Для этой части страницы нужно войти.",
			page:        "Для этой страницы нужно войти.",
			noAccess:    "Нет доступа",
			forbidden:   "Ваша учётная запись не может открыть эту страницу.",
			role:        "Для этой страницы нужна роль, которой нет у вашей учётной записи:",
			account:     "Показать мою учётную запись",
			notAccepted: "Не принято",
			crossSite:   "Это отправила страница другого сайта, поэтому запрос не принят. Ничего не изменено.",
			again:       "Попробуйте ещё раз",
			unavailable: "Сервис временно недоступен. Попробуйте через минуту.",
		}
	case "tr":
		return pageTexts{
			language:    "tr",
			ended:       "Oturumunuz sona erdi",
			form:        "Hiçbir şey gönderilmedi. Yeni bir sekmede oturum açın, sonra bu sayfayı yenileyin: tarayıcınız formu yeniden gönderir.",
			signIn:      "Oturum aç",
			frame:       "Sayfanın bu bölümü için oturum açmanız gerekir.",
			page:        "Bu sayfa için oturum açmanız gerekir.",
			noAccess:    "Erişim yok",
			forbidden:   "Hesabınız bu sayfayı açamaz.",
			role:        "Bu sayfa, hesabınızda olmayan bir rol gerektiriyor:",
			account:     "Hesabımı göster",
			notAccepted: "Kabul edilmedi",
			crossSite:   "Bunu başka bir sitenin sayfası gönderdi, bu yüzden kabul edilmedi. Hiçbir şey değiştirilmedi.",
			again:       "Yeniden deneyin",
			unavailable: "Hizmet geçici olarak kullanılamıyor. Biraz sonra yeniden deneyin.",
		}
	case "ar":
		return pageTexts{
			language:    "ar",
			ended:       "انتهت جلستك",
			form:        "لم يُرسَل شيء. سجّل الدخول في علامة تبويب جديدة، ثم أعد تحميل هذه الصفحة: سيرسل متصفحك النموذج مرة أخرى.",
			signIn:      "تسجيل الدخول",
			frame:       "يتطلب هذا الجزء من الصفحة تسجيل الدخول.",
			page:        "تتطلب هذه الصفحة تسجيل الدخول.",
			noAccess:    "لا يمكن الوصول",
			forbidden:   "لا يُسمح لحسابك بفتح هذه الصفحة.",
			role:        "تتطلب هذه الصفحة دورًا لا يملكه حسابك:",
			account:     "عرض حسابي",
			notAccepted: "لم يُقبل",
			crossSite:   "أرسلت هذا صفحة من موقع آخر، لذلك لم يُقبل. لم يتغيّر شيء.",
			again:       "حاول مرة أخرى",
			unavailable: "الخدمة غير متاحة مؤقتًا. حاول مرة أخرى بعد قليل.",
		}
	case "ja":
		return pageTexts{
			language:    "ja",
			ended:       "セッションが終了しました",
			form:        "何も送信されていません。新しいタブでログインしてからこのページを再読み込みすると、ブラウザーがフォームをもう一度送信します。",
			signIn:      "ログイン",
			frame:       "ページのこの部分を表示するにはログインが必要です。",
			page:        "このページを表示するにはログインが必要です。",
			noAccess:    "アクセスできません",
			forbidden:   "お使いのアカウントではこのページを開けません。",
			role:        "このページには、お使いのアカウントにないロールが必要です:",
			account:     "アカウントを表示",
			notAccepted: "受け付けられませんでした",
			crossSite:   "別のサイトのページから送信されたため、受け付けられませんでした。何も変更されていません。",
			again:       "もう一度お試しください",
			unavailable: "サービスは一時的に利用できません。しばらくしてからもう一度お試しください。",
		}
	case "zh":
		return pageTexts{
			language:    "zh-Hans",
			ended:       "您的会话已结束",
			form:        "未发送任何内容。请在新标签页中登录，然后重新加载此页面：浏览器会再次发送表单。",
			signIn:      "登录",
			frame:       "查看页面的这一部分需要登录。",
			page:        "查看此页面需要登录。",
			noAccess:    "无法访问",
			forbidden:   "您的账户无权打开此页面。",
			role:        "此页面需要您的账户没有的角色：",
			account:     "查看我的账户",
			notAccepted: "未被接受",
			crossSite:   "此请求由其他网站的页面发送，因此未被接受。未作任何更改。",
			again:       "请重试",
			unavailable: "服务暂时不可用。请稍后重试。",
		}
	}
	return pageTexts{
		language:    "en",
		ended:       "Your session has ended",
		form:        "Nothing was sent. Sign in, in a new tab, then reload this page: your browser sends the form again.",
		signIn:      "Sign in",
		frame:       "This part of the page needs you to sign in.",
		page:        "This page needs you to sign in.",
		noAccess:    "No access",
		forbidden:   "Your account may not open this page.",
		role:        "This page requires a role that your account does not have:",
		account:     "Show my account",
		notAccepted: "Not accepted",
		crossSite:   "A page of another site sent this, so that it was not accepted. Nothing was changed.",
		again:       "Please try again",
		unavailable: "The service is temporarily unavailable. Please try again in a moment.",
	}
}

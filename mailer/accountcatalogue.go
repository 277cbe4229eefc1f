package mailer

// accountCatalogue returns the phrases of mails about accounts by tag, for the languages
// of catalogue.
func accountCatalogue() map[string]func() accountPhrases {
	return map[string]func() accountPhrases{
		"ar":      arabicAccount,
		"de":      germanAccount,
		"en":      englishAccount,
		"es":      spanishAccount,
		"fr":      frenchAccount,
		"it":      italianAccount,
		"ja":      japaneseAccount,
		"nl":      dutchAccount,
		"pl":      polishAccount,
		"pt-br":   brazilianAccount,
		"ru":      russianAccount,
		"tr":      turkishAccount,
		"uk":      ukrainianAccount,
		"zh-hans": chineseAccount,
	}
}

func englishAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Confirm your address", "Enter this code to use this address for your account at {title}:"},
		change:         accountText{"Change of your address", "Enter this code to allow the change of your address at {title}:"},
		codeValidity:   "The code works once and expires in {lifetime}.",
		codeWarning:    "Don't share this code. We will never ask for it.",
		codeIgnore:     "If you did not request this, ignore this mail.",
		changeIgnore:   "If you did not request this, another person is signed in to your account. Contact {title} immediately.",
		newLogin:       accountText{"New sign-in to {title}", "Your account was signed in to with a different login method than before."},
		added:          accountText{"A login was added to your account at {title}", "It can now be used to sign in to your account."},
		removed:        accountText{"A login was removed from your account at {title}", "It can no longer be used to sign in to your account."},
		factorAdded:    accountText{"A second factor was added to your account at {title}", "Signing in now also asks for it. All other sessions have ended."},
		factorRemoved:  accountText{"A second factor was removed from your account at {title}", "Signing in no longer asks for it."},
		recoveryUsed:   accountText{"A recovery code was used at {title}", "It works no more. Create new ones if few are left."},
		addressChanged: accountText{"Your address at {title} was changed", "This address can no longer be used to sign in to your account."},
		deleted:        accountText{"Your account at {title} was deleted", "The account with its logins and sessions no longer exists."},
		keyCreated:     accountText{"An API key was created for your account at {title}", "With it, a program can use your account until the key expires or you revoke it."},
		advice:         "If this was you, no action is needed. If not, contact {title} immediately.",
		method:         "Login method", byMail: "E-mail",
	}
}

func germanAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Bestätigen Sie Ihre Adresse", "Geben Sie diesen Code ein, um diese Adresse für Ihr Konto bei {title} zu verwenden:"},
		change:         accountText{"Änderung Ihrer Adresse", "Geben Sie diesen Code ein, um die Änderung Ihrer Adresse bei {title} zu erlauben:"},
		codeValidity:   "Der Code gilt einmal und {lifetime} lang.",
		codeWarning:    "Geben Sie den Code nicht weiter. Wir werden Sie nie danach fragen.",
		codeIgnore:     "Wenn Sie das nicht angefordert haben, ignorieren Sie diese Mail.",
		changeIgnore:   "Wenn Sie das nicht angefordert haben, ist eine andere Person bei Ihrem Konto angemeldet. Wenden Sie sich sofort an {title}.",
		newLogin:       accountText{"Neue Anmeldung bei {title}", "Bei Ihrem Konto erfolgte eine Anmeldung mit einer anderen Methode als bisher."},
		added:          accountText{"Ihrem Konto bei {title} wurde eine Anmeldemethode hinzugefügt", "Mit ihr ist ab jetzt die Anmeldung bei Ihrem Konto möglich."},
		removed:        accountText{"Aus Ihrem Konto bei {title} wurde eine Anmeldemethode entfernt", "Mit ihr ist keine Anmeldung bei Ihrem Konto mehr möglich."},
		factorAdded:    accountText{"Ihrem Konto bei {title} wurde ein zweiter Faktor hinzugefügt", "Er wird nun bei jeder Anmeldung verlangt. Alle anderen Sitzungen wurden beendet."},
		factorRemoved:  accountText{"Aus Ihrem Konto bei {title} wurde ein zweiter Faktor entfernt", "Er wird bei der Anmeldung nicht mehr verlangt."},
		recoveryUsed:   accountText{"Bei {title} wurde ein Wiederherstellungscode verwendet", "Er gilt nicht mehr. Erstellen Sie neue, wenn nur wenige übrig sind."},
		addressChanged: accountText{"Ihre Adresse bei {title} wurde geändert", "Mit dieser Adresse ist keine Anmeldung bei Ihrem Konto mehr möglich."},
		deleted:        accountText{"Ihr Konto bei {title} wurde gelöscht", "Das Konto mit seinen Anmeldemethoden und Sitzungen existiert nicht mehr."},
		keyCreated:     accountText{"Für Ihr Konto bei {title} wurde ein API-Schlüssel erstellt", "Mit ihm kann ein Programm Ihr Konto benutzen, bis der Schlüssel abläuft oder Sie ihn widerrufen."},
		advice:         "Wenn Sie das waren, müssen Sie nichts tun. Andernfalls wenden Sie sich sofort an {title}.",
		method:         "Anmeldemethode", byMail: "E-Mail",
	}
}

func frenchAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Confirmez votre adresse", "Saisissez ce code pour utiliser cette adresse pour votre compte {title} :"},
		change:         accountText{"Changement de votre adresse", "Saisissez ce code pour autoriser le changement de votre adresse sur {title} :"},
		codeValidity:   "Le code fonctionne une seule fois et expire dans {lifetime}.",
		codeWarning:    "Ne partagez pas ce code. Nous ne vous le demanderons jamais.",
		codeIgnore:     "Si vous n'êtes pas à l'origine de cette demande, ignorez ce message.",
		changeIgnore:   "Si vous n'êtes pas à l'origine de cette demande, une autre personne est connectée à votre compte. Contactez immédiatement {title}.",
		newLogin:       accountText{"Nouvelle connexion à {title}", "Une connexion à votre compte a eu lieu avec une autre méthode qu'auparavant."},
		added:          accountText{"Une méthode de connexion a été ajoutée à votre compte {title}", "Elle permet désormais de se connecter à votre compte."},
		removed:        accountText{"Une méthode de connexion a été retirée de votre compte {title}", "Elle ne permet plus de se connecter à votre compte."},
		factorAdded:    accountText{"Un second facteur a été ajouté à votre compte {title}", "Il est désormais demandé à la connexion. Toutes les autres sessions ont pris fin."},
		factorRemoved:  accountText{"Un second facteur a été retiré de votre compte {title}", "Il n’est plus demandé à la connexion."},
		recoveryUsed:   accountText{"Un code de récupération a été utilisé sur {title}", "Il n’est plus valable. Créez-en de nouveaux s’il en reste peu."},
		addressChanged: accountText{"Votre adresse sur {title} a été modifiée", "Cette adresse ne permet plus de se connecter à votre compte."},
		deleted:        accountText{"Votre compte {title} a été supprimé", "Le compte, ses méthodes de connexion et ses sessions n'existent plus."},
		keyCreated:     accountText{"Une clé d'API a été créée pour votre compte {title}", "Elle permet à un programme d'utiliser votre compte jusqu'à son expiration ou sa révocation."},
		advice:         "Si c'était vous, aucune action n'est nécessaire. Sinon, contactez immédiatement {title}.",
		method:         "Méthode de connexion", byMail: "E-mail",
	}
}

func spanishAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Confirma tu dirección", "Introduce este código para usar esta dirección en tu cuenta de {title}:"},
		change:         accountText{"Cambio de tu dirección", "Introduce este código para permitir el cambio de tu dirección en {title}:"},
		codeValidity:   "El código funciona una sola vez y caduca en {lifetime}.",
		codeWarning:    "No compartas este código. Nunca te lo pediremos.",
		codeIgnore:     "Si no lo has solicitado, ignora este mensaje.",
		changeIgnore:   "Si no lo has solicitado, otra persona ha iniciado sesión en tu cuenta. Ponte en contacto con {title} de inmediato.",
		newLogin:       accountText{"Nuevo inicio de sesión en {title}", "Se ha iniciado sesión en tu cuenta con un método distinto al anterior."},
		added:          accountText{"Se ha añadido un método de acceso a tu cuenta de {title}", "Ahora permite iniciar sesión en tu cuenta."},
		removed:        accountText{"Se ha eliminado un método de acceso de tu cuenta de {title}", "Ya no permite iniciar sesión en tu cuenta."},
		factorAdded:    accountText{"Se ha añadido un segundo factor a tu cuenta de {title}", "Ahora se pide al iniciar sesión. Las demás sesiones han terminado."},
		factorRemoved:  accountText{"Se ha eliminado un segundo factor de tu cuenta de {title}", "Ya no se pide al iniciar sesión."},
		recoveryUsed:   accountText{"Se ha usado un código de recuperación en {title}", "Ya no sirve. Crea otros nuevos si quedan pocos."},
		addressChanged: accountText{"Se ha cambiado tu dirección en {title}", "Esta dirección ya no permite iniciar sesión en tu cuenta."},
		deleted:        accountText{"Se ha eliminado tu cuenta de {title}", "La cuenta, sus métodos de acceso y sus sesiones ya no existen."},
		keyCreated:     accountText{"Se ha creado una clave de API para tu cuenta de {title}", "Permite que un programa use tu cuenta hasta que la clave caduque o la revoques."},
		advice:         "Si has sido tú, no tienes que hacer nada. Si no, ponte en contacto con {title} de inmediato.",
		method:         "Método de acceso", byMail: "Correo electrónico",
	}
}

func italianAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Conferma il tuo indirizzo", "Inserisci questo codice per usare questo indirizzo per il tuo account su {title}:"},
		change:         accountText{"Modifica del tuo indirizzo", "Inserisci questo codice per consentire la modifica del tuo indirizzo su {title}:"},
		codeValidity:   "Il codice funziona una sola volta e scade tra {lifetime}.",
		codeWarning:    "Non condividere questo codice. Non te lo chiederemo mai.",
		codeIgnore:     "Se non l'hai richiesto, ignora questo messaggio.",
		changeIgnore:   "Se non l'hai richiesto, un'altra persona ha effettuato l'accesso al tuo account. Contatta subito {title}.",
		newLogin:       accountText{"Nuovo accesso a {title}", "È stato effettuato un accesso al tuo account con un metodo diverso dal precedente."},
		added:          accountText{"Un metodo di accesso è stato aggiunto al tuo account su {title}", "Ora può essere usato per accedere al tuo account."},
		removed:        accountText{"Un metodo di accesso è stato rimosso dal tuo account su {title}", "Non può più essere usato per accedere al tuo account."},
		factorAdded:    accountText{"Un secondo fattore è stato aggiunto al tuo account su {title}", "Ora viene richiesto all'accesso. Tutte le altre sessioni sono terminate."},
		factorRemoved:  accountText{"Un secondo fattore è stato rimosso dal tuo account su {title}", "Non viene più richiesto all'accesso."},
		recoveryUsed:   accountText{"È stato usato un codice di recupero su {title}", "Non vale più. Creane di nuovi se ne restano pochi."},
		addressChanged: accountText{"Il tuo indirizzo su {title} è stato modificato", "Questo indirizzo non può più essere usato per accedere al tuo account."},
		deleted:        accountText{"Il tuo account su {title} è stato eliminato", "L'account, i suoi metodi di accesso e le sue sessioni non esistono più."},
		keyCreated:     accountText{"È stata creata una chiave API per il tuo account su {title}", "Permette a un programma di usare il tuo account finché la chiave non scade o non la revochi."},
		advice:         "Se sei stato tu, non devi fare nulla. Altrimenti contatta subito {title}.",
		method:         "Metodo di accesso", byMail: "E-mail",
	}
}

func brazilianAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Confirme seu endereço", "Digite este código para usar este endereço na sua conta de {title}:"},
		change:         accountText{"Alteração do seu endereço", "Digite este código para permitir a alteração do seu endereço em {title}:"},
		codeValidity:   "O código funciona uma única vez e expira em {lifetime}.",
		codeWarning:    "Não compartilhe este código. Nunca vamos pedi-lo.",
		codeIgnore:     "Se você não fez esta solicitação, ignore esta mensagem.",
		changeIgnore:   "Se você não fez esta solicitação, outra pessoa entrou na sua conta. Entre em contato com {title} imediatamente.",
		newLogin:       accountText{"Novo acesso a {title}", "Sua conta foi acessada com um método diferente do anterior."},
		added:          accountText{"Um método de acesso foi adicionado à sua conta de {title}", "Ele agora pode ser usado para entrar na sua conta."},
		removed:        accountText{"Um método de acesso foi removido da sua conta de {title}", "Ele não pode mais ser usado para entrar na sua conta."},
		factorAdded:    accountText{"Um segundo fator foi adicionado à sua conta de {title}", "Agora ele é pedido ao entrar. Todas as outras sessões terminaram."},
		factorRemoved:  accountText{"Um segundo fator foi removido da sua conta de {title}", "Ele não é mais pedido ao entrar."},
		recoveryUsed:   accountText{"Um código de recuperação foi usado em {title}", "Ele não vale mais. Crie novos se restarem poucos."},
		addressChanged: accountText{"Seu endereço em {title} foi alterado", "Este endereço não pode mais ser usado para entrar na sua conta."},
		deleted:        accountText{"Sua conta de {title} foi excluída", "A conta, seus métodos de acesso e suas sessões não existem mais."},
		keyCreated:     accountText{"Uma chave de API foi criada para a sua conta de {title}", "Ela permite que um programa use a sua conta até que a chave expire ou você a revogue."},
		advice:         "Se foi você, não é preciso fazer nada. Caso contrário, entre em contato com {title} imediatamente.",
		method:         "Método de acesso", byMail: "E-mail",
	}
}

func dutchAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Bevestig je adres", "Voer deze code in om dit adres voor je account bij {title} te gebruiken:"},
		change:         accountText{"Wijziging van je adres", "Voer deze code in om de wijziging van je adres bij {title} toe te staan:"},
		codeValidity:   "De code werkt één keer en verloopt over {lifetime}.",
		codeWarning:    "Deel deze code niet. We zullen er nooit om vragen.",
		codeIgnore:     "Heb je dit niet aangevraagd? Negeer dan deze mail.",
		changeIgnore:   "Heb je dit niet aangevraagd? Dan is iemand anders ingelogd op je account. Neem meteen contact op met {title}.",
		newLogin:       accountText{"Nieuwe aanmelding bij {title}", "Er is met een andere methode dan voorheen ingelogd op je account."},
		added:          accountText{"Er is een inlogmethode toegevoegd aan je account bij {title}", "Hiermee kan nu worden ingelogd op je account."},
		removed:        accountText{"Er is een inlogmethode verwijderd uit je account bij {title}", "Hiermee kan niet meer worden ingelogd op je account."},
		factorAdded:    accountText{"Er is een tweede factor toegevoegd aan je account bij {title}", "Die wordt nu bij het inloggen gevraagd. Alle andere sessies zijn beëindigd."},
		factorRemoved:  accountText{"Er is een tweede factor verwijderd uit je account bij {title}", "Die wordt niet meer gevraagd bij het inloggen."},
		recoveryUsed:   accountText{"Er is een herstelcode gebruikt bij {title}", "Die werkt niet meer. Maak nieuwe als er weinig over zijn."},
		addressChanged: accountText{"Je adres bij {title} is gewijzigd", "Met dit adres kan niet meer worden ingelogd op je account."},
		deleted:        accountText{"Je account bij {title} is verwijderd", "Het account met zijn inlogmethoden en sessies bestaat niet meer."},
		keyCreated:     accountText{"Er is een API-sleutel gemaakt voor je account bij {title}", "Hiermee kan een programma je account gebruiken totdat de sleutel verloopt of je hem intrekt."},
		advice:         "Was jij dit, dan hoef je niets te doen. Zo niet, neem dan meteen contact op met {title}.",
		method:         "Inlogmethode", byMail: "E-mail",
	}
}

func polishAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Potwierdź swój adres", "Wpisz ten kod, aby używać tego adresu na swoim koncie w {title}:"},
		change:         accountText{"Zmiana adresu", "Wpisz ten kod, aby zezwolić na zmianę adresu w {title}:"},
		codeValidity:   "Kod działa tylko raz. Ważność: {lifetime}.",
		codeWarning:    "Nie udostępniaj tego kodu. Nigdy o niego nie poprosimy.",
		codeIgnore:     "Jeśli to nie Twoja prośba, zignoruj tę wiadomość.",
		changeIgnore:   "Jeśli to nie Twoja prośba, inna osoba jest zalogowana na Twoje konto. Natychmiast skontaktuj się z {title}.",
		newLogin:       accountText{"Nowe logowanie do {title}", "Zalogowano się na Twoje konto inną metodą niż dotychczas."},
		added:          accountText{"Do Twojego konta w {title} dodano metodę logowania", "Można się nią teraz logować na Twoje konto."},
		removed:        accountText{"Z Twojego konta w {title} usunięto metodę logowania", "Nie można się nią już logować na Twoje konto."},
		factorAdded:    accountText{"Do Twojego konta w {title} dodano drugi składnik", "Jest teraz wymagany przy logowaniu. Wszystkie inne sesje zostały zakończone."},
		factorRemoved:  accountText{"Z Twojego konta w {title} usunięto drugi składnik", "Nie jest już wymagany przy logowaniu."},
		recoveryUsed:   accountText{"W {title} użyto kodu odzyskiwania", "Ten kod już nie działa. Utwórz nowe, jeśli zostało ich niewiele."},
		addressChanged: accountText{"Twój adres w {title} został zmieniony", "Tym adresem nie można się już logować na Twoje konto."},
		deleted:        accountText{"Twoje konto w {title} zostało usunięte", "Konto wraz z metodami logowania i sesjami już nie istnieje."},
		keyCreated:     accountText{"Utworzono klucz API dla Twojego konta w {title}", "Umożliwia on programowi korzystanie z Twojego konta, dopóki klucz nie wygaśnie lub go nie unieważnisz."},
		advice:         "Jeśli to Twoje działanie, nie musisz nic robić. W przeciwnym razie natychmiast skontaktuj się z {title}.",
		method:         "Metoda logowania", byMail: "E-mail",
	}
}

func ukrainianAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Підтвердьте свою адресу", "Введіть цей код, щоб використовувати цю адресу для свого облікового запису в {title}:"},
		change:         accountText{"Зміна вашої адреси", "Введіть цей код, щоб дозволити зміну вашої адреси в {title}:"},
		codeValidity:   "Код діє один раз. Термін дії: {lifetime}.",
		codeWarning:    "Не передавайте нікому цей код. Ми ніколи його не запитуємо.",
		codeIgnore:     "Якщо ви цього не запитували, проігноруйте цей лист.",
		changeIgnore:   "Якщо ви цього не запитували, до вашого облікового запису ввійшла інша особа. Негайно зверніться до {title}.",
		newLogin:       accountText{"Новий вхід до {title}", "До вашого облікового запису ввійшли іншим способом, ніж раніше."},
		added:          accountText{"До вашого облікового запису в {title} додано спосіб входу", "Тепер ним можна входити до вашого облікового запису."},
		removed:        accountText{"З вашого облікового запису в {title} вилучено спосіб входу", "Ним більше не можна входити до вашого облікового запису."},
		factorAdded:    accountText{"До вашого облікового запису в {title} додано другий фактор", "Тепер його запитують під час входу. Усі інші сеанси завершено."},
		factorRemoved:  accountText{"З вашого облікового запису в {title} вилучено другий фактор", "Його більше не запитують під час входу."},
		recoveryUsed:   accountText{"У {title} використано код відновлення", "Він більше не діє. Створіть нові, якщо їх залишилося мало."},
		addressChanged: accountText{"Вашу адресу в {title} змінено", "З цією адресою більше не можна входити до вашого облікового запису."},
		deleted:        accountText{"Ваш обліковий запис у {title} видалено", "Обліковий запис разом зі способами входу та сеансами більше не існує."},
		keyCreated:     accountText{"Для вашого облікового запису {title} створено ключ API", "З ним програма може користуватися вашим обліковим записом, доки ключ не втратить чинність або ви його не відкличете."},
		advice:         "Якщо це зробили ви, нічого робити не потрібно. Якщо ні, негайно зверніться до {title}.",
		method:         "Спосіб входу", byMail: "Електронна пошта",
	}
}

func russianAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Подтвердите свой адрес", "Введите этот код, чтобы использовать этот адрес для своей учётной записи в {title}:"},
		change:         accountText{"Изменение вашего адреса", "Введите этот код, чтобы разрешить изменение вашего адреса в {title}:"},
		codeValidity:   "Код действует один раз. Срок действия: {lifetime}.",
		codeWarning:    "Не передавайте никому этот код. Мы никогда его не запрашиваем.",
		codeIgnore:     "Если вы этого не запрашивали, проигнорируйте это письмо.",
		changeIgnore:   "Если вы этого не запрашивали, в вашу учётную запись вошёл другой человек. Немедленно свяжитесь с {title}.",
		newLogin:       accountText{"Новый вход в {title}", "В вашу учётную запись вошли другим способом, чем раньше."},
		added:          accountText{"К вашей учётной записи в {title} добавлен способ входа", "Теперь им можно войти в вашу учётную запись."},
		removed:        accountText{"Из вашей учётной записи в {title} удалён способ входа", "Им больше нельзя войти в вашу учётную запись."},
		factorAdded:    accountText{"В вашу учётную запись в {title} добавлен второй фактор", "Теперь он запрашивается при входе. Все остальные сеансы завершены."},
		factorRemoved:  accountText{"Из вашей учётной записи в {title} удалён второй фактор", "Он больше не запрашивается при входе."},
		recoveryUsed:   accountText{"В {title} использован код восстановления", "Он больше не действует. Создайте новые, если их осталось мало."},
		addressChanged: accountText{"Ваш адрес в {title} изменён", "С этим адресом больше нельзя войти в вашу учётную запись."},
		deleted:        accountText{"Ваша учётная запись в {title} удалена", "Учётная запись вместе со способами входа и сеансами больше не существует."},
		keyCreated:     accountText{"Для вашей учётной записи {title} создан ключ API", "С ним программа может пользоваться вашей учётной записью, пока срок действия ключа не истечёт или вы его не отзовёте."},
		advice:         "Если это сделали вы, ничего делать не нужно. Если нет, немедленно свяжитесь с {title}.",
		method:         "Способ входа", byMail: "Электронная почта",
	}
}

func turkishAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"Adresinizi onaylayın", "Bu adresi {title} hesabınız için kullanmak üzere bu kodu girin:"},
		change:         accountText{"Adresinizin değiştirilmesi", "{title} adresinizin değiştirilmesine izin vermek için bu kodu girin:"},
		codeValidity:   "Kod bir kez kullanılabilir. Geçerlilik süresi: {lifetime}.",
		codeWarning:    "Bu kodu paylaşmayın. Bunu sizden asla istemeyiz.",
		codeIgnore:     "Bunu siz istemediyseniz bu iletiyi yok sayın.",
		changeIgnore:   "Bunu siz istemediyseniz hesabınızda başka biri oturum açmış demektir. Hemen {title} ile iletişime geçin.",
		newLogin:       accountText{"{title} için yeni oturum açma", "Hesabınızda öncekinden farklı bir yöntemle oturum açıldı."},
		added:          accountText{"{title} hesabınıza bir oturum açma yöntemi eklendi", "Artık hesabınızda bu yöntemle oturum açılabilir."},
		removed:        accountText{"{title} hesabınızdan bir oturum açma yöntemi kaldırıldı", "Artık hesabınızda bu yöntemle oturum açılamaz."},
		factorAdded:    accountText{"{title} hesabınıza ikinci bir faktör eklendi", "Artık oturum açarken istenir. Diğer tüm oturumlar sonlandırıldı."},
		factorRemoved:  accountText{"{title} hesabınızdan ikinci faktör kaldırıldı", "Artık oturum açarken istenmez."},
		recoveryUsed:   accountText{"{title} için bir kurtarma kodu kullanıldı", "Bu kod artık geçersiz. Az sayıda kaldıysa yenilerini oluşturun."},
		addressChanged: accountText{"{title} adresiniz değiştirildi", "Artık hesabınızda bu adresle oturum açılamaz."},
		deleted:        accountText{"{title} hesabınız silindi", "Hesap, oturum açma yöntemleri ve oturumlarıyla birlikte artık yok."},
		keyCreated:     accountText{"{title} hesabınız için bir API anahtarı oluşturuldu", "Anahtarın süresi dolana veya siz iptal edene kadar bir program bununla hesabınızı kullanabilir."},
		advice:         "Bunu siz yaptıysanız bir şey yapmanız gerekmez. Siz yapmadıysanız hemen {title} ile iletişime geçin.",
		method:         "Oturum açma yöntemi", byMail: "E-posta",
	}
}

func arabicAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"تأكيد عنوانك", "أدخل هذا الرمز لاستخدام هذا العنوان في حسابك لدى {title}:"},
		change:         accountText{"تغيير عنوانك", "أدخل هذا الرمز للسماح بتغيير عنوانك لدى {title}:"},
		codeValidity:   "يعمل الرمز مرة واحدة. مدة الصلاحية: {lifetime}.",
		codeWarning:    "لا تشارك هذا الرمز مع أي شخص. لن نطلبه منك أبدًا.",
		codeIgnore:     "إذا لم تطلب ذلك، فتجاهل هذه الرسالة.",
		changeIgnore:   "إذا لم تطلب ذلك، فهناك شخص آخر سجّل الدخول إلى حسابك. تواصل مع {title} فورًا.",
		newLogin:       accountText{"تسجيل دخول جديد إلى {title}", "تم تسجيل الدخول إلى حسابك بطريقة مختلفة عن السابق."},
		added:          accountText{"أُضيفت طريقة تسجيل دخول إلى حسابك لدى {title}", "يمكن الآن استخدامها لتسجيل الدخول إلى حسابك."},
		removed:        accountText{"أُزيلت طريقة تسجيل دخول من حسابك لدى {title}", "لم يعد بالإمكان استخدامها لتسجيل الدخول إلى حسابك."},
		factorAdded:    accountText{"أُضيف عامل ثانٍ إلى حسابك لدى {title}", "سيُطلب الآن عند تسجيل الدخول. انتهت جميع الجلسات الأخرى."},
		factorRemoved:  accountText{"أُزيل العامل الثاني من حسابك لدى {title}", "لن يُطلب بعد الآن عند تسجيل الدخول."},
		recoveryUsed:   accountText{"استُخدم رمز استرداد لدى {title}", "لم يعد صالحًا. أنشئ رموزًا جديدة إذا بقي القليل منها."},
		addressChanged: accountText{"تم تغيير عنوانك لدى {title}", "لم يعد بالإمكان استخدام هذا العنوان لتسجيل الدخول إلى حسابك."},
		deleted:        accountText{"تم حذف حسابك لدى {title}", "لم يعد الحساب موجودًا، ولا طرق تسجيل الدخول والجلسات الخاصة به."},
		keyCreated:     accountText{"تم إنشاء مفتاح API لحسابك في {title}", "يمكن لبرنامج استخدام حسابك به حتى تنتهي صلاحية المفتاح أو تلغيه."},
		advice:         "إذا كنت أنت من فعل ذلك، فلا يلزمك أي إجراء. وإلا فتواصل مع {title} فورًا.",
		method:         "طريقة تسجيل الدخول", byMail: "البريد الإلكتروني",
	}
}

func japaneseAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"アドレスの確認", "このアドレスを {title} のアカウントで使用するには、次のコードを入力してください。"},
		change:         accountText{"アドレスの変更", "{title} のアドレスの変更を許可するには、次のコードを入力してください。"},
		codeValidity:   "コードは一度だけ使用できます。有効期間: {lifetime}",
		codeWarning:    "このコードを他人に教えないでください。当方からお尋ねすることはありません。",
		codeIgnore:     "お心当たりがない場合は、このメールを無視してください。",
		changeIgnore:   "お心当たりがない場合は、第三者があなたのアカウントにログインしています。直ちに {title} にご連絡ください。",
		newLogin:       accountText{"{title} への新しいログイン", "これまでとは異なる方法でアカウントにログインがありました。"},
		added:          accountText{"{title} のアカウントにログイン方法が追加されました", "この方法でアカウントにログインできるようになりました。"},
		removed:        accountText{"{title} のアカウントからログイン方法が削除されました", "この方法ではアカウントにログインできなくなりました。"},
		factorAdded:    accountText{"{title} のアカウントに第二要素が追加されました", "ログイン時に求められるようになりました。ほかのセッションはすべて終了しました。"},
		factorRemoved:  accountText{"{title} のアカウントから第二要素が削除されました", "ログイン時に求められなくなりました。"},
		recoveryUsed:   accountText{"{title} でリカバリーコードが使用されました", "このコードはもう使えません。残りが少ない場合は新しく作成してください。"},
		addressChanged: accountText{"{title} のアドレスが変更されました", "このアドレスではアカウントにログインできなくなりました。"},
		deleted:        accountText{"{title} のアカウントが削除されました", "アカウント、ログイン方法、セッションはすべて削除されました。"},
		keyCreated:     accountText{"{title} のアカウントに API キーが作成されました", "キーの有効期限が切れるか、取り消すまで、プログラムがこのキーでアカウントを利用できます。"},
		advice:         "ご本人の操作であれば、対応は不要です。お心当たりがない場合は、直ちに {title} にご連絡ください。",
		method:         "ログイン方法", byMail: "メール",
	}
}

func chineseAccount() accountPhrases {
	return accountPhrases{
		confirm:        accountText{"确认您的地址", "请输入此验证码，以便在您的 {title} 账户中使用此地址："},
		change:         accountText{"更改您的地址", "请输入此验证码，以允许更改您在 {title} 的地址："},
		codeValidity:   "验证码只能使用一次。有效期：{lifetime}。",
		codeWarning:    "请勿将此验证码告诉他人。我们绝不会向您索取。",
		codeIgnore:     "如果这不是您的请求，请忽略此邮件。",
		changeIgnore:   "如果这不是您的请求，则说明有他人登录了您的账户。请立即联系 {title}。",
		newLogin:       accountText{"{title} 有新的登录", "有人使用与以往不同的方式登录了您的账户。"},
		added:          accountText{"您的 {title} 账户添加了一种登录方式", "现在可以用它登录您的账户。"},
		removed:        accountText{"您的 {title} 账户移除了一种登录方式", "现在无法再用它登录您的账户。"},
		factorAdded:    accountText{"您的 {title} 账户添加了第二验证因素", "现在登录时需要使用它。所有其他会话均已结束。"},
		factorRemoved:  accountText{"您的 {title} 账户移除了第二验证因素", "登录时不再需要它。"},
		recoveryUsed:   accountText{"在 {title} 使用了一个恢复代码", "该代码已失效。如果所剩不多，请创建新的代码。"},
		addressChanged: accountText{"您在 {title} 的地址已更改", "现在无法再用此地址登录您的账户。"},
		deleted:        accountText{"您的 {title} 账户已删除", "该账户及其登录方式和会话已不存在。"},
		keyCreated:     accountText{"已为您在 {title} 的账户创建 API 密钥", "在密钥到期或您撤销之前，程序可以用它使用您的账户。"},
		advice:         "如果是您本人操作，则无需处理。如果不是，请立即联系 {title}。",
		method:         "登录方式", byMail: "电子邮件",
	}
}

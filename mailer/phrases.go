package mailer

import (
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/language"
)

// Phrases are the texts of the mail in one language. In [Data] all values are filled
// in.
type Phrases struct {
	// Subject contains the code if there is one.
	Subject string
	// Heading is the title of the mail.
	Heading string
	// Message is the text of a mail about an account.
	Message string
	// UseButton introduces the button, whose label is Button.
	UseButton, Button string
	// OpenLink introduces the link in plain text.
	OpenLink string
	// EnterCode introduces the code.
	EnterCode string
	// Validity describes the lifetime of the link, or of link and code.
	Validity string
	// Fallback introduces the link below the button.
	Fallback string
	// Warning asks not to share link and code.
	Warning string
	// Ignore is for recipients who did not request the mail.
	Ignore string
	// Labels of the details of the request.
	Address, Time, Browser, Network, Client string
	// Method is the label of the login method in a mail about an account.
	Method string

	// subjectWithCode and validityWithCode replace Subject and Validity in a mail with
	// a code.
	subjectWithCode, validityWithCode string
}

// texts returns pointers to all texts.
func (p *Phrases) texts() []*string {
	return []*string{
		&p.Subject, &p.subjectWithCode, &p.Heading, &p.Message, &p.UseButton, &p.Button, &p.OpenLink, &p.EnterCode,
		&p.Validity, &p.validityWithCode, &p.Fallback, &p.Warning, &p.Ignore,
		&p.Address, &p.Time, &p.Browser, &p.Network, &p.Client, &p.Method,
	}
}

// fill returns the phrases with the values of a mail.
func (p Phrases) fill(data *Data) Phrases {
	switch {
	case data.Kind == authcore.MailInvitation:
		p = p.ofInvitation(data.Locale)
	case data.Kind != authcore.MailLogin:
		p = p.ofAccount(data.Kind, data.Locale)
	case data.Code != "":
		p.Subject, p.Validity = p.subjectWithCode, p.validityWithCode
	}
	values := strings.NewReplacer("{title}", data.Title, "{code}", data.Code, "{lifetime}", data.Lifetime)
	for _, text := range p.texts() {
		*text = values.Replace(*text)
	}
	return p
}

// phrasesOf returns the phrases of a language, or the English ones.
func phrasesOf(locale string) Phrases {
	all := catalogue()
	for _, tag := range append(language.Lookup(locale), language.Default) {
		if phrases, found := all[language.Canonical(tag)]; found {
			return phrases()
		}
	}
	return english()
}

// catalogue returns the phrases of all languages by tag.
func catalogue() map[string]func() Phrases {
	return map[string]func() Phrases{
		"ar": arabic, "de": german, "en": english, "es": spanish, "fr": french, "it": italian, "ja": japanese,
		"nl": dutch, "pl": polish, "pt-br": brazilian, "ru": russian, "tr": turkish, "uk": ukrainian, "zh-hans": chinese,
	}
}

func english() Phrases {
	return Phrases{
		Subject: "Sign in to {title}", subjectWithCode: "{code} is your code for {title}",
		Heading: "Sign in to {title}", UseButton: "Use this button to sign in.", Button: "Sign in",
		OpenLink: "Open this link to sign in to {title}:", EnterCode: "Or enter this code:",
		Validity:         "The link works once and expires in {lifetime}.",
		validityWithCode: "Link and code work once and expire in {lifetime}.",
		Fallback:         "If the button does not work, open this address:",
		Warning:          "Don't share this link or code. We will never ask for them.",
		Ignore:           "If you did not request this, ignore this mail. Without the link or the code, no sign-in is possible.",
		Address:          "Address", Time: "Time", Browser: "Browser", Network: "Network", Client: "Requested in",
	}
}

func german() Phrases {
	return Phrases{
		Subject: "Anmelden bei {title}", subjectWithCode: "{code} ist Ihr Code für {title}",
		Heading: "Anmelden bei {title}", UseButton: "Mit dieser Schaltfläche melden Sie sich an.", Button: "Anmelden",
		OpenLink: "Mit diesem Link melden Sie sich bei {title} an:", EnterCode: "Oder geben Sie diesen Code ein:",
		Validity:         "Der Link gilt einmal und {lifetime} lang.",
		validityWithCode: "Link und Code gelten einmal und {lifetime} lang.",
		Fallback:         "Wenn die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:",
		Warning:          "Geben Sie Link und Code nicht weiter. Wir werden Sie nie danach fragen.",
		Ignore:           "Wenn Sie das nicht angefordert haben, ignorieren Sie diese Mail. Ohne Link oder Code ist keine Anmeldung möglich.",
		Address:          "Adresse", Time: "Zeit", Browser: "Browser", Network: "Netzwerk", Client: "Angefordert in",
	}
}

func french() Phrases {
	return Phrases{
		Subject: "Connexion à {title}", subjectWithCode: "{code} est votre code pour {title}",
		Heading: "Connexion à {title}", UseButton: "Utilisez ce bouton pour vous connecter.", Button: "Se connecter",
		OpenLink: "Ouvrez ce lien pour vous connecter à {title} :", EnterCode: "Ou saisissez ce code :",
		Validity:         "Le lien fonctionne une seule fois et expire dans {lifetime}.",
		validityWithCode: "Le lien et le code fonctionnent une seule fois et expirent dans {lifetime}.",
		Fallback:         "Si le bouton ne fonctionne pas, ouvrez cette adresse :",
		Warning:          "Ne partagez ni ce lien ni ce code. Nous ne vous les demanderons jamais.",
		Ignore:           "Si vous n'êtes pas à l'origine de cette demande, ignorez ce message. Sans le lien ou le code, aucune connexion n'est possible.",
		Address:          "Adresse", Time: "Heure", Browser: "Navigateur", Network: "Réseau", Client: "Demandé dans",
	}
}

func spanish() Phrases {
	return Phrases{
		Subject: "Iniciar sesión en {title}", subjectWithCode: "{code} es tu código para {title}",
		Heading: "Iniciar sesión en {title}", UseButton: "Usa este botón para iniciar sesión.", Button: "Iniciar sesión",
		OpenLink: "Abre este enlace para iniciar sesión en {title}:", EnterCode: "O introduce este código:",
		Validity:         "El enlace funciona una sola vez y caduca en {lifetime}.",
		validityWithCode: "El enlace y el código funcionan una sola vez y caducan en {lifetime}.",
		Fallback:         "Si el botón no funciona, abre esta dirección:",
		Warning:          "No compartas este enlace ni este código. Nunca te los pediremos.",
		Ignore:           "Si no lo has solicitado, ignora este mensaje. Sin el enlace o el código no es posible iniciar sesión.",
		Address:          "Dirección", Time: "Hora", Browser: "Navegador", Network: "Red", Client: "Solicitado en",
	}
}

func italian() Phrases {
	return Phrases{
		Subject: "Accedi a {title}", subjectWithCode: "{code} è il tuo codice per {title}",
		Heading: "Accedi a {title}", UseButton: "Usa questo pulsante per accedere.", Button: "Accedi",
		OpenLink: "Apri questo link per accedere a {title}:", EnterCode: "Oppure inserisci questo codice:",
		Validity:         "Il link funziona una sola volta e scade tra {lifetime}.",
		validityWithCode: "Il link e il codice funzionano una sola volta e scadono tra {lifetime}.",
		Fallback:         "Se il pulsante non funziona, apri questo indirizzo:",
		Warning:          "Non condividere questo link o codice. Non te li chiederemo mai.",
		Ignore:           "Se non l'hai richiesto, ignora questo messaggio. Senza il link o il codice non è possibile accedere.",
		Address:          "Indirizzo", Time: "Ora", Browser: "Browser", Network: "Rete", Client: "Richiesto in",
	}
}

func brazilian() Phrases {
	return Phrases{
		Subject: "Entrar em {title}", subjectWithCode: "{code} é o seu código para {title}",
		Heading: "Entrar em {title}", UseButton: "Use este botão para entrar.", Button: "Entrar",
		OpenLink: "Abra este link para entrar em {title}:", EnterCode: "Ou digite este código:",
		Validity:         "O link funciona uma única vez e expira em {lifetime}.",
		validityWithCode: "O link e o código funcionam uma única vez e expiram em {lifetime}.",
		Fallback:         "Se o botão não funcionar, abra este endereço:",
		Warning:          "Não compartilhe este link nem este código. Nunca vamos pedi-los.",
		Ignore:           "Se você não fez esta solicitação, ignore esta mensagem. Sem o link ou o código não é possível entrar.",
		Address:          "Endereço", Time: "Horário", Browser: "Navegador", Network: "Rede", Client: "Solicitado em",
	}
}

func dutch() Phrases {
	return Phrases{
		Subject: "Inloggen bij {title}", subjectWithCode: "{code} is je code voor {title}",
		Heading: "Inloggen bij {title}", UseButton: "Gebruik deze knop om in te loggen.", Button: "Inloggen",
		OpenLink: "Open deze link om in te loggen bij {title}:", EnterCode: "Of voer deze code in:",
		Validity:         "De link werkt één keer en verloopt over {lifetime}.",
		validityWithCode: "De link en de code werken één keer en verlopen over {lifetime}.",
		Fallback:         "Werkt de knop niet? Open dan dit adres:",
		Warning:          "Deel deze link of code niet. We zullen er nooit om vragen.",
		Ignore:           "Heb je dit niet aangevraagd? Negeer dan deze mail. Zonder de link of de code kan er niet worden ingelogd.",
		Address:          "Adres", Time: "Tijd", Browser: "Browser", Network: "Netwerk", Client: "Aangevraagd in",
	}
}

func polish() Phrases {
	return Phrases{
		Subject: "Logowanie do {title}", subjectWithCode: "{code} to Twój kod do {title}",
		Heading: "Logowanie do {title}", UseButton: "Użyj tego przycisku, aby się zalogować.", Button: "Zaloguj się",
		OpenLink: "Otwórz ten link, aby zalogować się do {title}:", EnterCode: "Albo wpisz ten kod:",
		Validity:         "Link działa tylko raz. Ważność: {lifetime}.",
		validityWithCode: "Link i kod działają tylko raz. Ważność: {lifetime}.",
		Fallback:         "Jeśli przycisk nie działa, otwórz ten adres:",
		Warning:          "Nie udostępniaj tego linku ani kodu. Nigdy o nie nie poprosimy.",
		Ignore:           "Jeśli to nie Twoja prośba, zignoruj tę wiadomość. Bez linku lub kodu logowanie nie jest możliwe.",
		Address:          "Adres", Time: "Czas", Browser: "Przeglądarka", Network: "Sieć", Client: "Zażądano w",
	}
}

func ukrainian() Phrases {
	return Phrases{
		Subject: "Вхід до {title}", subjectWithCode: "{code} — ваш код для {title}",
		Heading: "Вхід до {title}", UseButton: "Натисніть цю кнопку, щоб увійти.", Button: "Увійти",
		OpenLink: "Відкрийте це посилання, щоб увійти до {title}:", EnterCode: "Або введіть цей код:",
		Validity:         "Посилання діє один раз. Термін дії: {lifetime}.",
		validityWithCode: "Посилання та код діють один раз. Термін дії: {lifetime}.",
		Fallback:         "Якщо кнопка не працює, відкрийте цю адресу:",
		Warning:          "Не передавайте нікому це посилання чи код. Ми ніколи їх не запитуємо.",
		Ignore:           "Якщо ви цього не запитували, проігноруйте цей лист. Без посилання чи коду вхід неможливий.",
		Address:          "Адреса", Time: "Час", Browser: "Браузер", Network: "Мережа", Client: "Запит із",
	}
}

func russian() Phrases {
	return Phrases{
		Subject: "Вход в {title}", subjectWithCode: "{code} — ваш код для {title}",
		Heading: "Вход в {title}", UseButton: "Нажмите эту кнопку, чтобы войти.", Button: "Войти",
		OpenLink: "Откройте эту ссылку, чтобы войти в {title}:", EnterCode: "Или введите этот код:",
		Validity:         "Ссылка действует один раз. Срок действия: {lifetime}.",
		validityWithCode: "Ссылка и код действуют один раз. Срок действия: {lifetime}.",
		Fallback:         "Если кнопка не работает, откройте этот адрес:",
		Warning:          "Не передавайте никому эту ссылку или код. Мы никогда их не запрашиваем.",
		Ignore:           "Если вы этого не запрашивали, проигнорируйте это письмо. Без ссылки или кода войти невозможно.",
		Address:          "Адрес", Time: "Время", Browser: "Браузер", Network: "Сеть", Client: "Запрос из",
	}
}

func turkish() Phrases {
	return Phrases{
		Subject: "{title} oturum açma", subjectWithCode: "{title} için kodunuz: {code}",
		Heading: "{title} oturum açma", UseButton: "Oturum açmak için bu düğmeyi kullanın.", Button: "Oturum aç",
		OpenLink: "{title} sitesinde oturum açmak için bu bağlantıyı açın:", EnterCode: "Veya bu kodu girin:",
		Validity:         "Bağlantı bir kez kullanılabilir. Geçerlilik süresi: {lifetime}.",
		validityWithCode: "Bağlantı ve kod bir kez kullanılabilir. Geçerlilik süresi: {lifetime}.",
		Fallback:         "Düğme çalışmıyorsa bu adresi açın:",
		Warning:          "Bu bağlantıyı veya kodu paylaşmayın. Bunları sizden asla istemeyiz.",
		Ignore:           "Bunu siz istemediyseniz bu iletiyi yok sayın. Bağlantı veya kod olmadan oturum açılamaz.",
		Address:          "Adres", Time: "Saat", Browser: "Tarayıcı", Network: "Ağ", Client: "İsteğin kaynağı",
	}
}

func arabic() Phrases {
	return Phrases{
		Subject: "تسجيل الدخول إلى {title}", subjectWithCode: "{code} هو رمزك لـ {title}",
		Heading: "تسجيل الدخول إلى {title}", UseButton: "استخدم هذا الزر لتسجيل الدخول.", Button: "تسجيل الدخول",
		OpenLink: "افتح هذا الرابط لتسجيل الدخول إلى {title}:", EnterCode: "أو أدخل هذا الرمز:",
		Validity:         "يعمل الرابط مرة واحدة. مدة الصلاحية: {lifetime}.",
		validityWithCode: "يعمل الرابط والرمز مرة واحدة. مدة الصلاحية: {lifetime}.",
		Fallback:         "إذا لم يعمل الزر، فافتح هذا العنوان:",
		Warning:          "لا تشارك هذا الرابط أو الرمز مع أي شخص. لن نطلبهما منك أبدًا.",
		Ignore:           "إذا لم تطلب ذلك، فتجاهل هذه الرسالة. لا يمكن تسجيل الدخول من دون الرابط أو الرمز.",
		Address:          "العنوان", Time: "الوقت", Browser: "المتصفح", Network: "الشبكة", Client: "مصدر الطلب",
	}
}

func japanese() Phrases {
	return Phrases{
		Subject: "{title} へのログイン", subjectWithCode: "{title} の確認コード: {code}",
		Heading: "{title} へのログイン", UseButton: "このボタンを押してログインしてください。", Button: "ログイン",
		OpenLink: "次のリンクを開いて {title} にログインしてください。", EnterCode: "または、次のコードを入力してください。",
		Validity:         "リンクは一度だけ使用できます。有効期間: {lifetime}",
		validityWithCode: "リンクとコードは一度だけ使用できます。有効期間: {lifetime}",
		Fallback:         "ボタンが動作しない場合は、次のアドレスを開いてください。",
		Warning:          "このリンクやコードを他人に教えないでください。当方からお尋ねすることはありません。",
		Ignore:           "お心当たりがない場合は、このメールを無視してください。リンクまたはコードがなければログインできません。",
		Address:          "アドレス", Time: "日時", Browser: "ブラウザー", Network: "ネットワーク", Client: "リクエスト元",
	}
}

func chinese() Phrases {
	return Phrases{
		Subject: "登录 {title}", subjectWithCode: "{code} 是您在 {title} 的验证码",
		Heading: "登录 {title}", UseButton: "请点击此按钮登录。", Button: "登录",
		OpenLink: "请打开此链接登录 {title}：", EnterCode: "或输入此验证码：",
		Validity:         "链接只能使用一次。有效期：{lifetime}。",
		validityWithCode: "链接和验证码只能使用一次。有效期：{lifetime}。",
		Fallback:         "如果按钮无法使用，请打开此地址：",
		Warning:          "请勿将此链接或验证码告诉他人。我们绝不会向您索取。",
		Ignore:           "如果这不是您的请求，请忽略此邮件。没有链接或验证码便无法登录。",
		Address:          "地址", Time: "时间", Browser: "浏览器", Network: "网络", Client: "请求来源",
	}
}

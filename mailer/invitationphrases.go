package mailer

import "github.com/edgeauth/edgeauth/internal/language"

// ofInvitation returns the phrases of an invitation.
func (p Phrases) ofInvitation(locale string) Phrases {
	texts := invitationPhrasesOf(locale)
	p.Subject, p.Heading, p.UseButton, p.Button = texts.heading, texts.heading, texts.useButton, texts.button
	p.OpenLink, p.Warning, p.Ignore = texts.openLink, texts.warning, texts.ignore
	return p
}

// invitationPhrases are the texts of an invitation in one language. A mail also uses
// Validity and Fallback of Phrases.
type invitationPhrases struct{ heading, useButton, button, openLink, warning, ignore string }

// invitationPhrasesOf returns the phrases of a language, or the English ones.
func invitationPhrasesOf(locale string) invitationPhrases {
	all := invitationCatalogue()
	for _, tag := range append(language.Lookup(locale), language.Default) {
		if phrases, found := all[language.Canonical(tag)]; found {
			return phrases
		}
	}
	return all[language.Default]
}

// invitationCatalogue returns the phrases by tag, for the languages of catalogue.
func invitationCatalogue() map[string]invitationPhrases {
	return map[string]invitationPhrases{
		"ar": {
			"دعوة إلى {title}", "استخدم هذا الزر لقبول الدعوة.", "قبول الدعوة",
			"افتح هذا الرابط لقبول الدعوة إلى {title}:", "لا تشارك هذا الرابط: من يملكه يمكنه الدخول باسمك.",
			"إذا كنت لا تريد حسابًا، فتجاهل هذه الرسالة.",
		},
		"de": {
			"Einladung zu {title}", "Mit dieser Schaltfläche nehmen Sie die Einladung an.", "Einladung annehmen",
			"Mit diesem Link nehmen Sie die Einladung zu {title} an:", "Geben Sie den Link nicht weiter: Mit ihm ist eine Anmeldung in Ihrem Namen möglich.",
			"Wenn Sie kein Konto möchten, ignorieren Sie diese Mail.",
		},
		"en": {
			"Invitation to {title}", "Use this button to accept the invitation.", "Accept the invitation",
			"Open this link to accept the invitation to {title}:", "Don't share this link. It signs in as you.",
			"If you do not want an account, ignore this mail.",
		},
		"es": {
			"Invitación a {title}", "Usa este botón para aceptar la invitación.", "Aceptar la invitación",
			"Abre este enlace para aceptar la invitación a {title}:", "No compartas este enlace: con él se inicia sesión en tu nombre.",
			"Si no quieres una cuenta, ignora este mensaje.",
		},
		"fr": {
			"Invitation à {title}", "Utilisez ce bouton pour accepter l'invitation.", "Accepter l'invitation",
			"Ouvrez ce lien pour accepter l'invitation à {title} :", "Ne partagez pas ce lien : il permet de se connecter en votre nom.",
			"Si vous ne voulez pas de compte, ignorez ce message.",
		},
		"it": {
			"Invito a {title}", "Usa questo pulsante per accettare l'invito.", "Accetta l'invito",
			"Apri questo link per accettare l'invito a {title}:", "Non condividere questo link: permette di accedere a tuo nome.",
			"Se non vuoi un account, ignora questo messaggio.",
		},
		"ja": {
			"{title} への招待", "招待を承諾するには、このボタンを使用してください。", "招待を承諾する",
			"{title} への招待を承諾するには、このリンクを開いてください：", "このリンクを他人に教えないでください。あなたとしてログインできます。",
			"アカウントが不要な場合は、このメールを無視してください。",
		},
		"nl": {
			"Uitnodiging voor {title}", "Gebruik deze knop om de uitnodiging te accepteren.", "Uitnodiging accepteren",
			"Open deze link om de uitnodiging voor {title} te accepteren:", "Deel deze link niet: ermee kan in uw naam worden ingelogd.",
			"Als u geen account wilt, negeer dan deze mail.",
		},
		"pl": {
			"Zaproszenie do {title}", "Użyj tego przycisku, aby przyjąć zaproszenie.", "Przyjmij zaproszenie",
			"Otwórz ten link, aby przyjąć zaproszenie do {title}:", "Nie udostępniaj tego linku: pozwala zalogować się w Twoim imieniu.",
			"Jeśli nie chcesz konta, zignoruj tę wiadomość.",
		},
		"pt-br": {
			"Convite para {title}", "Use este botão para aceitar o convite.", "Aceitar o convite",
			"Abra este link para aceitar o convite para {title}:", "Não compartilhe este link: ele permite entrar em seu nome.",
			"Se você não quer uma conta, ignore esta mensagem.",
		},
		"ru": {
			"Приглашение в {title}", "Нажмите эту кнопку, чтобы принять приглашение.", "Принять приглашение",
			"Откройте эту ссылку, чтобы принять приглашение в {title}:", "Никому не передавайте эту ссылку: по ней можно войти от вашего имени.",
			"Если вам не нужна учётная запись, не обращайте внимания на это письмо.",
		},
		"tr": {
			"{title} daveti", "Daveti kabul etmek için bu düğmeyi kullanın.", "Daveti kabul et",
			"{title} davetini kabul etmek için bu bağlantıyı açın:", "Bu bağlantıyı paylaşmayın: bağlantıyla sizin adınıza oturum açılabilir.",
			"Hesap istemiyorsanız bu e-postayı dikkate almayın.",
		},
		"uk": {
			"Запрошення до {title}", "Натисніть цю кнопку, щоб прийняти запрошення.", "Прийняти запрошення",
			"Відкрийте це посилання, щоб прийняти запрошення до {title}:", "Нікому не передавайте це посилання: за ним можна увійти від вашого імені.",
			"Якщо вам не потрібен обліковий запис, не зважайте на цей лист.",
		},
		"zh-hans": {
			"{title} 的邀请", "请使用此按钮接受邀请。", "接受邀请",
			"打开此链接以接受 {title} 的邀请：", "请勿分享此链接：任何人都可以用它以您的身份登录。",
			"如果您不需要帐户，请忽略此邮件。",
		},
	}
}

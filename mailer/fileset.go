package mailer

import (
	"net/netip"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// fileSet names the files of a group of texts in one language.
type fileSet struct {
	subject, text, html string
	// samples returns mails that use all branches of the texts.
	samples func() []authcore.Mail
}

func (f fileSet) names() []string { return []string{f.subject, f.text, f.html} }

// loginFiles are the files of the login mail and of invitations.
func loginFiles() fileSet {
	return fileSet{subject: "subject.txt", text: "text.txt", html: "html.html", samples: loginSamples}
}

// accountFiles are the files of mails about accounts: codes that confirm a change of
// address, and notices.
func accountFiles() fileSet {
	return fileSet{subject: "account-subject.txt", text: "account-text.txt", html: "account-html.html", samples: accountSamples}
}

func allFiles() []string { return slices.Concat(loginFiles().names(), accountFiles().names()) }

// loginSamples returns a login mail without optional values, one with all of them, and an
// invitation.
func loginSamples() []authcore.Mail {
	sample := authcore.Mail{
		Link: "https://frontend.example/auth/link/sample", Lifetime: 15 * time.Minute,
		Expires: time.Date(2026, time.January, 2, 15, 4, 5, 0, time.UTC),
	}
	full := sampleDetails(sample)
	full.Code = "123456"
	invitation := sample
	invitation.Kind, invitation.To, invitation.Title, invitation.Lifetime = authcore.MailInvitation, full.To, full.Title, 7*24*time.Hour
	return []authcore.Mail{sample, full, invitation}
}

// accountSamples returns a mail of each kind, and one without optional values.
func accountSamples() []authcore.Mail {
	sample := authcore.Mail{
		Site: "https://frontend.example/", Lifetime: 15 * time.Minute,
		Expires: time.Date(2026, time.January, 2, 15, 4, 5, 0, time.UTC),
	}
	samples := []authcore.Mail{sample}
	samples[0].Kind = authcore.MailNewLogin
	for _, kind := range accountKinds() {
		full := sampleDetails(sample)
		full.Kind = kind
		switch {
		case !kind.IsNotice():
			full.Code = "123456"
		case kind != authcore.MailAddressChanged && kind != authcore.MailAccountDeleted && kind != authcore.MailKeyCreated:
			full.Method = "google-oauth2"
		}
		samples = append(samples, full)
	}
	return samples
}

func sampleDetails(mail authcore.Mail) authcore.Mail {
	mail.Client, mail.Title, mail.To = "web", "Example", "user@example.org"
	mail.Requested, mail.IP, mail.UserAgent = mail.Expires.Add(-mail.Lifetime), netip.AddrFrom4([4]byte{192, 0, 2, 1}), "Firefox/1 Linux"
	return mail
}

// accountKinds lists the kinds of mails about accounts.
func accountKinds() []authcore.MailKind {
	return []authcore.MailKind{
		authcore.MailConfirmAddress, authcore.MailConfirmChange, authcore.MailNewLogin, authcore.MailLinked,
		authcore.MailUnlinked, authcore.MailAddressChanged, authcore.MailAccountDeleted, authcore.MailKeyCreated,
		authcore.MailFactorAdded, authcore.MailFactorRemoved, authcore.MailRecoveryUsed,
	}
}

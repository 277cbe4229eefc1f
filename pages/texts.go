package pages

import (
	"embed"
	"encoding/json"
	"reflect"
	"strings"
)

//go:embed texts/*.json
var catalogue embed.FS

// Texts are the texts of the pages in one language. {title} is the name of the site.
// Other placeholders are replaced where the text is shown.
type Texts struct {
	// The form that begins a sign-in.
	SignIn, SignInTo, Email, SendLink, Or, ContinueWith string
	// SignedInAs contains {email}.
	SignedInAs, Continue string
	// The page after a mail was sent. SentTo contains {email}.
	CheckMail, SentTo, Code, NoMail, SendAgain, OtherAddress, DevLink string
	// The page of a mailed link. SignInAs contains {email}.
	SignInAs, Requested, Browser, Network, SignInHere, OtherBrowser, NotYou string
	// The page of an invitation. Accept is the label of its button.
	Invited, Accept string
	// Signing out.
	SignOut, SignOutQuestion, SignedOut, SignInAgain string
	// The page for signing in again. ConfirmText contains {email} and {time}.
	Confirm, ConfirmText string
	// The account.
	Account, Name, FirstName, LastName, Save, Saved                       string
	Sessions, ThisBrowser, LastUsed, EndSession, EndOthers, Ended         string
	Logins, ByMail, Remove, Add, Removed                                  string
	ChangeAddress, NewAddress, CodeSent, AddressChanged                   string
	Data, Download, Delete, DeleteWarning, DeleteConfirm, Deleted, GoBack string

	// Passkeys.
	SignInPasskey, AddPasskey, PasskeyName, ErrPasskey, ErrUnknownPasskey string

	// API keys. KeyExpires contains {time}.
	Keys, ShowKeys, KeysIntro, KeyName, KeyRoles, KeyLifetime, KeyExpires, CreateKey string
	KeySecret, KeyRemoved, ErrKeyName, ErrTooManyKeys                                string

	// The captcha.
	CaptchaScript, ErrCaptcha string

	// Second factors. Remember and ValidUntil contain {time}, CodesLeft {count}.
	TwoStep, AppCode, Remember, UseRecovery, RecoveryCode, UsePasskey        string
	AddApp, AppRequired, AppIntro, QRCode, AppKey                            string
	RecoveryCodes, RecoveryIntro, SaveCodes, PrintCodes                      string
	App, CodesLeft, NewCodes, NewApp, Devices, ValidUntil, Forget, ForgetAll string
	ConfirmFactor, ConfirmNone, ErrLastFactor, PasskeyOffer                  string

	// Errors. ErrThrottled contains {time}.
	ErrHeading, ErrEmail, ErrDigits, ErrCode, ErrLink, ErrState, ErrThrottled, ErrUnavailable string
	ErrCrossSite, ErrNotFound, ErrDenied, ErrNotAdmitted, ErrInactive, ErrEmailTaken          string
	ErrIdentityTaken, ErrUnlinked, ErrLastLogin, ErrRecent, ErrOther                          string
}

// textsOf returns the texts of one of language.Tags.
func textsOf(tag string) Texts {
	var texts Texts
	content, _ := catalogue.ReadFile("texts/" + tag + ".json")
	_ = json.Unmarshal(content, &texts) // the files are embedded and tested
	return texts
}

// Placeholders of texts but that for the name of the site.
var placeholders = [...]string{"{email}", "{provider}", "{time}", "{count}"}

// fill replaces the placeholder for the name of the site. In a text from right to left it
// isolates each value (Unicode, UAX #9): 2026-01-06 would otherwise be shown as 06-01-2026.
func (t Texts) fill(title, direction string) Texts {
	replaced := []string{"{title}", title}
	if direction == "rtl" {
		replaced[1] = isolated(title)
		for _, placeholder := range placeholders {
			replaced = append(replaced, placeholder, isolated(placeholder))
		}
	}
	replacer := strings.NewReplacer(replaced...)
	value := reflect.ValueOf(&t).Elem()
	for i := range value.NumField() {
		field := value.Field(i)
		field.SetString(replacer.Replace(field.String()))
	}
	return t
}

// isolated returns a text between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE.
func isolated(text string) string { return "\u2068" + text + "\u2069" }

// WithEmail returns a text with its placeholder {email} replaced.
func (t Texts) WithEmail(text, email string) string {
	return strings.ReplaceAll(text, "{email}", email)
}

// WithProvider returns a text with its placeholder {provider} replaced.
func (t Texts) WithProvider(text, provider string) string {
	return strings.ReplaceAll(text, "{provider}", provider)
}

// WithTime returns a text with its placeholder {time} replaced.
func (t Texts) WithTime(text, at string) string { return strings.ReplaceAll(text, "{time}", at) }

// WithCount returns a text with its placeholder {count} replaced.
func (t Texts) WithCount(text, count string) string {
	return strings.ReplaceAll(text, "{count}", count)
}

// ConfirmIntro returns ConfirmText for a user and the time of the login.
func (t Texts) ConfirmIntro(email, at string) string {
	return t.WithTime(t.WithEmail(t.ConfirmText, email), at)
}

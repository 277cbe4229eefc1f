package pages

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/session"
	"github.com/edgeauth/edgeauth/internal/language"
)

// factorView contains the values of the pages that ask for a second factor, and of those
// that add an application.
type factorView struct {
	// Code, Recovery and Passkey are set if the user can prove the factor so.
	Code, Recovery, Passkey bool
	// Remember is set if the browser can be remembered, RememberFor is the time.
	Remember    bool
	RememberFor string
	// Nothing is set if the user has no factor that the page accepts; Add and AddPasskey
	// if one can be added.
	Nothing, Add, AddPasskey bool
	// Enrol is set if the login requires an application. Key and QR are its secret.
	Enrol bool
	Key   string
	QR    template.URL
}

// factorPurpose separates the tickets of half-finished logins from other sealed texts.
const factorPurpose = "factor page"

// factorTicket contains a login whose first factor is proven, sealed in the address of the
// page that asks for the second one. It is bound to the browser, and it is not a session.
type factorTicket struct {
	login.PageStart
	Challenge string `json:"challenge"`
	// Enrolment is set if the user has to add an application.
	Enrolment string   `json:"enrolment,omitempty"`
	Methods   []string `json:"methods,omitempty"`
	Expires   int64    `json:"expires"`
}

// entered completes a login with a first factor: it sets the session cookie, or continues
// to the page that asks for the second factor.
func (h *Handler) entered(r *request, grant session.Grant, returnTo string, err error) error {
	public, ok := asPublic(err)
	switch {
	case err == nil:
		return h.enter(r, grant, returnTo)
	case !ok || public.Code != authcore.CodeSecondFactorRequired || public.Missing == nil:
		return err
	case public.Missing.Challenge == "": // a user who is signed in adds a login
		h.redirect(r, h.confirmFor(public, "/account"))
		return nil
	}
	return h.askFactor(r, public.Missing, returnTo)
}

// askFactor continues to the page that asks for a second factor.
func (h *Handler) askFactor(r *request, missing *authcore.MissingFactor, returnTo string) error {
	browser := h.bindBrowser(r)
	t := factorTicket{
		PageStart: login.PageStart{Browser: browser, ReturnTo: returnTo}, Challenge: missing.Challenge, Methods: missing.Methods,
		Expires: h.Realm.Now().Add(missing.ExpiresIn).Unix(),
	}
	if missing.Enrol {
		begun, err := h.Realm.Logins.BeginEnrolment(r.Context(), missing.Challenge)
		if err != nil {
			return err
		}
		t.Enrolment = begun.Sealed
	}
	sealed, err := h.seal(factorPurpose, t)
	if err != nil {
		return err
	}
	h.redirect(r, h.Prefix+"/factor/"+sealed)
	return nil
}

// factor asks for the second factor of a login, or adds one that the realm requires, and
// completes the login.
func (h *Handler) factor(r *request) error {
	var opened factorTicket
	if !h.open(r, factorPurpose, &opened) || !opened.MatchesBrowser(h.browser(r)) || h.hasPassed(opened.Expires) {
		return errState()
	}
	r.view.ReturnTo = h.checkedReturn(opened.ReturnTo)
	if r.Method != http.MethodPost {
		return h.showFactor(r, &opened, http.StatusOK)
	}
	credential := []byte(r.PostForm.Get("credential"))
	grant, err := h.Realm.Logins.BySecondFactor(r.Context(), login.FactorLogin{
		Challenge: opened.Challenge, Code: r.PostForm.Get("code"), RecoveryCode: r.PostForm.Get("recovery_code"),
		Credential: credential, Enrolment: opened.Enrolment, Remember: r.PostForm.Has("remember"), Caller: h.caller(r),
	})
	if r.view.wrongCode(err) || r.view.wrongPasskey(err, credential) {
		return h.showFactor(r, &opened, http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	if grant.Device != "" {
		h.setCookie(r, gate.CookieDevice, grant.Device, h.Realm.Factors.Remembers())
	}
	if err := h.replaceSession(r, grant.Grant); err != nil {
		return err
	}
	return h.showCodes(r, grant.RecoveryCodes, r.view.ReturnTo)
}

func (h *Handler) showFactor(r *request, opened *factorTicket, status int) error {
	shown := &r.view.Factor
	if lasts := h.Realm.Factors.Remembers(); lasts > 0 {
		shown.Remember, shown.RememberFor = true, language.InWords(lasts, r.view.Lang)
	}
	if opened.Enrolment != "" {
		begun, err := h.Realm.Logins.ShowEnrolment(r.Context(), opened.Challenge, opened.Enrolment)
		if err != nil {
			return err
		}
		shown.Enrol = true
		return h.showApp(r, begun, status)
	}
	shown.Code = slices.Contains(opened.Methods, authcore.FactorTOTP)
	shown.Recovery = slices.Contains(opened.Methods, authcore.FactorRecovery)
	if shown.Passkey = slices.Contains(opened.Methods, "passkey"); shown.Passkey {
		if err := h.offerPasskey(r); err != nil {
			return err
		}
	}
	return h.show(r, status, "factor")
}

// showApp shows the secret for an authenticator application and asks for its first code.
func (h *Handler) showApp(r *request, begun factor.Enrolment, status int) error {
	f := &r.view.Factor
	f.Key = inGroups(begun.Secret)
	f.QR = dataURL(begun.QR)
	return h.show(r, status, "app")
}

// dataURL returns the address of a drawing, which is shorter than in base64.
func dataURL(drawing []byte) template.URL {
	escaped := strings.NewReplacer(`"`, "'", "<", "%3C", ">", "%3E", "#", "%23", " ", "%20").Replace(string(drawing))
	return template.URL("data:image/svg+xml," + escaped) //nolint:gosec // G203: drawn here
}

// inGroups separates groups of four characters, which people type more easily.
func inGroups(secret string) string {
	var b strings.Builder
	for i, c := range secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// showCodes shows new recovery codes, once. Without any it returns.
func (h *Handler) showCodes(r *request, codes []string, returnTo string) error {
	if len(codes) == 0 {
		h.redirect(r, returnTo)
		return nil
	}
	v := &r.view
	text := v.Title + "\n" + strings.Join(codes, "\n") + "\n"
	v.ReturnTo, v.Codes, v.Script = returnTo, codes, h.assetPath(h.printer)
	v.CodesFile = template.URL("data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(text))) //nolint:gosec // G203: made here
	return h.show(r, http.StatusOK, "codes")
}

package pages

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/language"
)

// factorsView contains the second factors of the user on the account page.
type factorsView struct {
	// App is set if the user has an authenticator application.
	App               bool
	Created, LastUsed string
	// CodesLeft is the number of recovery codes that were not used.
	CodesLeft string
	Devices   []deviceView
}

// deviceView is a remembered browser.
type deviceView struct{ ID, Browser, Expires string }

// addFactors adds the second factors to the account page.
func (h *Handler) addFactors(r *request, claims *gate.Claims, shown *accountView) error {
	if !h.Realm.Factors.Offered() {
		return nil
	}
	overview, err := h.Realm.Factors.List(r.Context(), claims)
	if err != nil {
		return err
	}
	list := &factorsView{CodesLeft: strconv.Itoa(overview.RecoveryLeft)}
	if app := overview.TOTP; app != nil {
		list.App, list.Created, list.LastUsed = true, formatTime(app.Created), formatTime(app.LastUsed)
	}
	for _, device := range overview.Devices {
		list.Devices = append(list.Devices, deviceView{device.ID, language.Browser(device.UserAgent), formatTime(device.Expires)})
	}
	shown.Factors = list
	return nil
}

// formatTime returns the form of a time on pages, "" for the zero time.
func formatTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(timeFormat)
}

// changeFactor removes the application, or forgets browsers.
func (h *Handler) changeFactor(r *request, claims *gate.Claims, change string) error {
	if change == "forget-device" {
		return h.Realm.Factors.ForgetDevice(r.Context(), claims, r.PostForm.Get("id"))
	}
	return h.Realm.Factors.Remove(r.Context(), claims, authcore.FactorTOTP, h.caller(r))
}

// addApp continues to the page that adds an application.
func (h *Handler) addApp(r *request, claims *gate.Claims) error {
	begun, err := h.Realm.Factors.Begin(r.Context(), claims)
	if err != nil {
		return err
	}
	returnTo := h.Prefix + "/account?done=totp"
	if r.PostForm.Has("return_to") {
		returnTo = h.returnTo(r)
	}
	h.redirect(r, withReturn(h.Prefix+"/account/factor/"+url.PathEscape(begun.Sealed), returnTo))
	return nil
}

// confirmApp shows the secret of an application and adds the application when its code is
// entered. The secret in the address is sealed and bound to the user.
func (h *Handler) confirmApp(r *request, claims *gate.Claims) error {
	r.view.ReturnTo = h.returnTo(r)
	status := http.StatusOK
	if r.Method == http.MethodPost {
		grant, codes, err := h.Realm.Factors.Confirm(r.Context(), claims, r.param, r.PostForm.Get("code"), h.caller(r))
		if err == nil {
			if err := h.setSession(r, grant); err != nil {
				return err
			}
			return h.showCodes(r, codes, r.view.ReturnTo)
		}
		if !r.view.wrongCode(err) {
			return err
		}
		status = http.StatusBadRequest
	}
	user, err := h.Realm.Accounts.CurrentUser(r.Context(), claims)
	if err != nil {
		return err
	}
	begun, err := h.Realm.Factors.Show(user, r.param)
	if err != nil {
		return errState()
	}
	return h.showApp(r, begun, status)
}

// newCodes replaces the recovery codes and shows the new ones.
func (h *Handler) newCodes(r *request, claims *gate.Claims) error {
	codes, err := h.Realm.Factors.NewRecoveryCodes(r.Context(), claims, h.caller(r))
	if err != nil {
		return err
	}
	return h.showCodes(r, codes, h.Prefix+"/account")
}

package pages

import (
	"github.com/edgeauth/edgeauth/authcore"
)

// showCaptcha puts the captcha into the view of a page that sends mail.
func (h *Handler) showCaptcha(r *request) {
	if h.Realm.Captcha != nil {
		r.view.Captcha = h.Realm.Captcha.Widget()
	}
}

// captchaResponse returns what the widget added to the form, or "".
func (h *Handler) captchaResponse(r *request) string {
	if h.Realm.Captcha == nil || h.Realm.Captcha.Widget() == nil {
		return ""
	}
	return r.PostForm.Get(h.Realm.Captcha.Widget().Field())
}

// isUnsolved reports whether the captcha was missing or not accepted. The page then shows
// its form again.
func isUnsolved(err error) bool {
	public, ok := asPublic(err)
	return ok && (public.Code == authcore.CodeCaptchaRequired || public.Code == authcore.CodeCaptchaFailed)
}

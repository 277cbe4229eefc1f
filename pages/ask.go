package pages

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
)

// provider is a provider as a page shows it.
type provider struct{ Name, Label string }

// ask shows the form that begins a sign-in, and begins it.
func (h *Handler) ask(r *request) error {
	if h.SignInAt != "" {
		return h.signInElsewhere(r, false)
	}
	if r.Method == http.MethodPost {
		return h.begin(r, nil)
	}
	if h.returnToSite(r, "/") {
		return nil
	}
	claims, err := h.claims(r)
	if err != nil {
		return err
	}
	v := &r.view
	v.Claims = claims
	return h.showForm(r, http.StatusOK)
}

// showForm shows the form of ask.
func (h *Handler) showForm(r *request, status int) error {
	v := &r.view
	v.ReturnTo = h.returnTo(r)
	if err := h.listProviders(r); err != nil {
		return err
	}
	if err := h.offerPasskey(r); err != nil {
		return err
	}
	h.showCaptcha(r)
	return h.show(r, status, "ask")
}

// listProviders puts the providers into the view. Their origins are allowed as the
// destination of forms: a browser applies the policy to the redirect, too.
func (h *Handler) listProviders(r *request) error {
	infos, err := h.Realm.Logins.Providers(r.Context(), h.ClientKey)
	if err != nil {
		return err
	}
	for _, info := range infos {
		r.view.Providers = append(r.view.Providers, provider{info.Name, authcore.ProviderTitle(info.Name)})
		if parsed, err := url.Parse(info.AuthorizeURL); err == nil && parsed.Host != "" {
			origin := parsed.Scheme + "://" + parsed.Host
			if !slices.Contains(r.view.formTargets, origin) {
				r.view.formTargets = append(r.view.formTargets, origin)
			}
		}
	}
	return nil
}

// begin begins a sign-in by mail or through a provider. If again is not nil, its user
// signs in again.
func (h *Handler) begin(r *request, again *gate.Claims) error {
	browser := h.bindBrowser(r)
	start := &login.PageStart{Browser: browser, ReturnTo: h.returnTo(r)}
	if name := r.PostForm.Get("provider"); name != "" {
		return h.authorize(r, name, start, nil)
	}
	email := r.PostForm.Get("email")
	if again != nil {
		email = again.Email
	}
	err := h.mail(r, email, start)
	public, ok := asPublic(err)
	switch {
	case ok && public.Status == http.StatusBadRequest && public.Fields["email"] != nil:
		r.view.Error = r.view.Text.ErrEmail
	case isUnsolved(err):
		r.view.Error = r.view.Text.ErrCaptcha
	default:
		return err
	}
	if again != nil {
		return h.showConfirm(r, again, readNeeds(r.PostForm), http.StatusBadRequest)
	}
	r.view.Email = email
	return h.showForm(r, http.StatusBadRequest)
}

// authorize redirects the browser to a provider. The user of linkTo adds a login to the
// account.
func (h *Handler) authorize(r *request, name string, start *login.PageStart, linkTo *gate.Claims) error {
	begun, err := h.Realm.Logins.Authorize(r.Context(), login.AuthorizeStart{
		Provider: name, ClientKey: h.ClientKey, RedirectURI: RedirectURI(h.address(), name),
		Page: start, LinkTo: linkTo, Caller: h.caller(r),
	})
	if err != nil {
		return err
	}
	h.redirect(r, begun.URL)
	return nil
}

// ticketPurpose separates tickets from other sealed texts.
const ticketPurpose = "sent page"

// ticket contains the values of the page that shows where a mail was sent, sealed in the
// address of that page, so that a reload and a tab that the system discarded work
// without sending another mail.
type ticket struct {
	login.PageStart
	Email   string `json:"email"`
	Request string `json:"request"`
	Expires int64  `json:"expires"`
	// DebugLink is set in development.
	DebugLink string `json:"debug_link,omitempty"`
}

// seal returns the sealed JSON of a value, as part of an address. Characters of HTML are
// not escaped: a return address may consist of them, and would not fit.
func (h *Handler) seal(purpose string, value any) (string, error) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", authcore.Unavailable(err)
	}
	sealed, err := h.Realm.Keys.Seal(purpose, data.Bytes())
	if err != nil {
		return "", authcore.Unavailable(err)
	}
	return sealed, nil
}

// open reads the value that is sealed in the address of a page, and reports whether it was
// sealed for this purpose.
func (h *Handler) open(r *request, purpose string, value any) bool {
	data, err := h.Realm.Keys.Open(purpose, r.param)
	return err == nil && json.Unmarshal(data, value) == nil
}

// hasPassed reports whether a time in Unix seconds has passed.
func (h *Handler) hasPassed(seconds int64) bool {
	return !h.Realm.Now().Before(time.Unix(seconds, 0))
}

// mail sends a link and continues to the page that says so.
func (h *Handler) mail(r *request, email string, start *login.PageStart) error {
	receipt, err := h.Realm.Logins.RequestLink(r.Context(), login.LinkRequest{
		Email: email, ClientKey: h.ClientKey, Locale: r.Header.Get("Accept-Language"), Page: start,
		Captcha: h.captchaResponse(r), Caller: h.caller(r),
	})
	if err != nil {
		return err
	}
	sealed, err := h.seal(ticketPurpose, ticket{
		PageStart: *start, Email: authcore.Trim(email), Request: receipt.RequestID,
		Expires: h.Realm.Now().Add(receipt.ExpiresIn).Unix(), DebugLink: receipt.DebugLink,
	})
	if err != nil {
		return err
	}
	h.redirect(r, h.Prefix+"/sent/"+sealed)
	return nil
}

// sent shows where a mail was sent, and takes the code or sends another mail.
func (h *Handler) sent(r *request) error {
	opened := &ticket{}
	if !h.open(r, ticketPurpose, opened) || !opened.MatchesBrowser(h.browser(r)) || h.hasPassed(opened.Expires) {
		return errState()
	}
	if r.Method == http.MethodPost {
		if r.PostForm.Has("again") {
			err := h.mail(r, opened.Email, &opened.PageStart)
			if isUnsolved(err) {
				r.view.Error = r.view.Text.ErrCaptcha
				return h.showSent(r, opened, http.StatusBadRequest)
			}
			return err
		}
		return h.enterCode(r, opened)
	}
	return h.showSent(r, opened, http.StatusOK)
}

func (h *Handler) showSent(r *request, opened *ticket, status int) error {
	r.view.Email, r.view.ReturnTo, r.view.DebugLink = opened.Email, opened.ReturnTo, opened.DebugLink
	h.showCaptcha(r)
	return h.show(r, status, "sent")
}

// enterCode signs in with a code.
func (h *Handler) enterCode(r *request, opened *ticket) error {
	grant, err := h.Realm.Logins.ByCode(r.Context(), login.CodeLogin{
		RequestID: opened.Request, Code: r.PostForm.Get("code"), ClientKey: h.ClientKey, Caller: h.caller(r),
	})
	if r.view.wrongCode(err) {
		return h.showSent(r, opened, http.StatusBadRequest)
	}
	return h.entered(r, grant, h.checkedReturn(opened.ReturnTo), err)
}

// wrongCode reports whether an error is about a code that the user entered, and puts its
// text into the view.
func (v *view) wrongCode(err error) bool {
	public, ok := asPublic(err)
	switch {
	case ok && (public.Fields["code"] != nil || public.Fields["current_code"] != nil):
		v.Error = v.Text.ErrDigits
	case ok && public.Code == authcore.CodeInvalidCode:
		v.Error = v.Text.ErrCode
	default:
		return false
	}
	return true
}

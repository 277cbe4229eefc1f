package pages

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/internal/language"
)

// accountView contains the values of the account page.
type accountView struct {
	User     authcore.User
	Sessions []sessionView
	Logins   []loginView
	// Addable are the providers with which the user has no login.
	Addable []provider
	// Passkeys are those of the user. PasskeyAfter is the page that comes before adding
	// one, or "".
	Passkeys     []passkeyRow
	PasskeyAfter string
	// Factors are the second factors; nil if the realm has none.
	Factors *factorsView
}

// sessionView is a session of the user.
type sessionView struct {
	ID, Browser, Network, LastSeen string
	Current                        bool
}

// loginView is an account of the user at a provider.
type loginView struct{ ID, Label, Email string }

// signedIn returns a page that requires a session.
func (h *Handler) signedIn(serve func(*request, *gate.Claims) error) func(*request) error {
	return func(r *request) error {
		claims, err := h.claims(r)
		if err != nil {
			return err
		}
		r.view.ReturnTo = h.ReturnTo
		if claims == nil {
			h.redirect(r, withReturn(h.Prefix+"/", h.Prefix+"/account"))
			return nil
		}
		r.view.Claims = claims
		err = serve(r, claims)
		if public, ok := asPublic(err); ok && confirmsFirst(public) {
			h.redirect(r, h.confirmFor(public, "/account"))
			return nil
		}
		return err
	}
}

// account shows the account and changes it.
func (h *Handler) account(r *request, claims *gate.Claims) error {
	if r.Method == http.MethodPost {
		return h.changeAccount(r, claims)
	}
	r.view.Notice = r.view.done(r.URL.Query().Get("done"))
	return h.showAccount(r, claims, http.StatusOK)
}

// done returns the text about a change that was made.
func (v *view) done(change string) string {
	return map[string]string{
		"name": v.Text.Saved, "session": v.Text.Ended, "unlink": v.Text.Removed,
		"add-passkey": v.Text.Saved, "rename-passkey": v.Text.Saved, "remove-passkey": v.Text.Removed, "email": v.Text.AddressChanged,
		"totp": v.Text.Saved, "remove-totp": v.Text.Saved, "forget-device": v.Text.Saved,
	}[change]
}

// changeAccount makes the change that the button names, and shows the account again.
func (h *Handler) changeAccount(r *request, claims *gate.Claims) error {
	ctx, change := r.Context(), r.PostForm.Get("change")
	var err error
	switch change {
	case "name":
		first, last := r.PostForm.Get("first_name"), r.PostForm.Get("last_name")
		_, err = h.Realm.Accounts.UpdateProfile(ctx, claims, account.ProfileChange{FirstName: &first, LastName: &last})
	case "session":
		err = h.endSession(r, claims, r.PostForm.Get("id"))
	case "others":
		change, err = "session", h.endOthers(r, claims)
	case "unlink":
		err = h.Realm.Accounts.Unlink(ctx, claims, h.caller(r), r.PostForm.Get("id"))
	case "add-passkey", "rename-passkey", "remove-passkey":
		err = h.changePasskey(r, claims, change)
	case "remove-totp", "forget-device":
		err = h.changeFactor(r, claims, change)
	case "totp":
		return h.addApp(r, claims)
	case "recovery":
		return h.newCodes(r, claims)
	case "link":
		return h.addLogin(r, claims)
	case "email":
		return h.changeEmail(r, claims)
	default:
		return badForm()
	}
	if public, ok := asPublic(err); ok && public.Status < http.StatusInternalServerError && !confirmsFirst(public) {
		r.view.Error = r.view.failure(public)
		return h.showAccount(r, claims, public.Status)
	}
	if err != nil {
		return err
	}
	if change == "add-passkey" && r.PostForm.Has("return_to") { // a page required it
		h.redirect(r, h.returnTo(r))
		return nil
	}
	h.redirect(r, h.Prefix+"/account?done="+change)
	return nil
}

// endSession ends a session. One that has ended already is a success.
func (h *Handler) endSession(r *request, claims *gate.Claims, id string) error {
	err := h.Realm.Sessions.End(r.Context(), claims, id)
	if public, ok := asPublic(err); ok && public.Code == authcore.CodeNotFound {
		return nil
	}
	return err
}

// endOthers ends all sessions but that of the browser.
func (h *Handler) endOthers(r *request, claims *gate.Claims) error {
	sessions, err := h.Realm.Sessions.List(r.Context(), claims)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		if session.ID != claims.Session {
			err = errors.Join(err, h.endSession(r, claims, session.ID))
		}
	}
	return err
}

// addLogin continues to a provider, whose account is added when the browser returns.
func (h *Handler) addLogin(r *request, claims *gate.Claims) error {
	user, err := h.Realm.Accounts.CurrentUser(r.Context(), claims)
	if err != nil {
		return err
	}
	if err := h.Realm.Accounts.CheckFactor(claims, user); err != nil {
		return err // before the provider asks for anything; the login step checks it again
	}
	browser := h.bindBrowser(r)
	start := &login.PageStart{Browser: browser, ReturnTo: h.Prefix + "/account", Link: true}
	return h.authorize(r, r.PostForm.Get("provider"), start, claims)
}

func (h *Handler) showAccount(r *request, claims *gate.Claims, status int) error {
	user, err := h.Realm.Accounts.CurrentUser(r.Context(), claims)
	if err != nil {
		return err
	}
	shown := &accountView{User: user}
	sessions, err := h.Realm.Sessions.List(r.Context(), claims)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		shown.Sessions = append(shown.Sessions, sessionView{
			ID: session.ID, Browser: language.Browser(session.UserAgent), LastSeen: session.LastSeen.UTC().Format(timeFormat),
			Network: networkOf(session.IP), Current: session.ID == claims.Session,
		})
	}
	if err := h.addLogins(r, claims, shown); err != nil {
		return err
	}
	if err := h.addPasskeys(r, claims, shown); err != nil {
		return err
	}
	if err := h.addFactors(r, claims, shown); err != nil {
		return err
	}
	r.view.Account = shown
	return h.show(r, status, "account")
}

// addLogins adds the logins of the user and the providers without one.
func (h *Handler) addLogins(r *request, claims *gate.Claims, shown *accountView) error {
	identities, err := h.Realm.Accounts.Identities(r.Context(), claims)
	if err != nil {
		return err
	}
	for _, identity := range identities {
		shown.Logins = append(shown.Logins, loginView{identity.PublicID, authcore.ProviderTitle(identity.Provider), identity.Email})
	}
	if err := h.listProviders(r); err != nil {
		return err
	}
	shown.Addable = slices.DeleteFunc(slices.Clone(r.view.Providers), func(one provider) bool {
		return slices.ContainsFunc(identities, func(identity authcore.Identity) bool { return identity.Provider == one.Name })
	})
	return nil
}

// changePurpose separates the tickets of changes of address from other sealed texts.
const changePurpose = "change of address"

// changeTicket contains the values of the page that takes the codes.
type changeTicket struct {
	Session string `json:"session"`
	Request string `json:"request"`
	Email   string `json:"email"`
	// NeedsCurrent is set if a code was mailed to the current address, too.
	NeedsCurrent bool  `json:"needs_current,omitempty"`
	Expires      int64 `json:"expires"`
}

// changeEmail mails codes for a change of address, and continues to the page that takes
// them.
func (h *Handler) changeEmail(r *request, claims *gate.Claims) error {
	email := r.PostForm.Get("email")
	receipt, err := h.Realm.Logins.RequestEmailChange(r.Context(), login.EmailChangeRequest{
		Claims: claims, Email: email, Locale: r.Header.Get("Accept-Language"), Caller: h.caller(r),
	})
	if public, ok := asPublic(err); ok && public.Fields["email"] != nil {
		r.view.Error = r.view.Text.ErrEmail
		return h.showAccount(r, claims, http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	sealed, err := h.seal(changePurpose, changeTicket{
		Session: claims.Session, Request: receipt.RequestID, Email: email, NeedsCurrent: receipt.NeedsCurrentCode,
		Expires: h.Realm.Now().Add(receipt.ExpiresIn).Unix(),
	})
	if err != nil {
		return err
	}
	h.redirect(r, h.Prefix+"/account/email/"+sealed)
	return nil
}

// confirmEmail takes the codes for a change of address.
func (h *Handler) confirmEmail(r *request, claims *gate.Claims) error {
	var opened changeTicket
	if !h.open(r, changePurpose, &opened) || opened.Session != claims.Session || h.hasPassed(opened.Expires) {
		return errState()
	}
	status := http.StatusOK
	if r.Method == http.MethodPost {
		grant, err := h.Realm.Logins.ConfirmEmailChange(r.Context(), login.EmailChangeProof{
			Claims: claims, RequestID: opened.Request, Code: r.PostForm.Get("code"), CurrentCode: r.PostForm.Get("current_code"),
			Caller: h.caller(r),
		})
		if err == nil {
			if err := h.setSession(r, grant); err != nil {
				return err
			}
			h.redirect(r, h.Prefix+"/account?done=email")
			return nil
		}
		if !r.view.wrongCode(err) {
			return err
		}
		status = http.StatusBadRequest
	}
	r.view.Email, r.view.NeedsCurrent = opened.Email, opened.NeedsCurrent
	return h.show(r, status, "email")
}

// export sends everything that is stored about the user as a file.
func (h *Handler) export(r *request, claims *gate.Claims) error {
	export, err := h.Realm.Accounts.Export(r.Context(), claims)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(export, "", "\t")
	if err != nil {
		return authcore.Unavailable(err)
	}
	header := r.w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Disposition", `attachment; filename="my-data.json"`)
	_, _ = r.w.Write(body) // a client that is gone needs no answer
	return nil
}

// deleteAccount asks for a confirmation, and deletes the account.
func (h *Handler) deleteAccount(r *request, claims *gate.Claims) error {
	if err := account.CheckRecentLogin(claims, h.Realm.Now(), "Sign in again to delete your account."); err != nil {
		return err
	}
	if r.Method != http.MethodPost || !r.PostForm.Has("confirm") {
		return h.show(r, http.StatusOK, "delete")
	}
	if err := h.Realm.Accounts.DeleteCurrentUser(r.Context(), claims, h.caller(r)); err != nil {
		return err
	}
	h.cookies().End(r.w.Header())
	h.redirect(r, h.Prefix+"/deleted")
	return nil
}

// deleted is the page after the deletion of an account.
func (h *Handler) deleted(r *request) error { return h.show(r, http.StatusOK, "deleted") }

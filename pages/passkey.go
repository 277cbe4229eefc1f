package pages

import (
	"encoding/json"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/authcore/login"
	"github.com/edgeauth/edgeauth/authcore/passkey"
)

// passkeyView contains the values of the form that signs in with a passkey, and of the
// one that adds a passkey.
type passkeyView struct {
	// Options are the options for the browser, in JSON.
	Options string
	// Unknown names a passkey that the browser should not offer any more, or is "".
	Unknown string
	// ReturnTo is the page that required the passkey to add, or "".
	ReturnTo string
}

// passkeyRow is a passkey of the user on the account page.
type passkeyRow struct{ ID, CredentialID, Name, LastUsed string }

// usesPasskeys reports whether this page can use passkeys.
func (h *Handler) usesPasskeys() bool {
	return h.SignInAt == "" && h.Realm.Passkeys != nil && h.Realm.Passkeys.Serves(h.Origin)
}

// offerPasskey puts the form that signs in with a passkey into the view.
func (h *Handler) offerPasskey(r *request) error {
	if !h.usesPasskeys() {
		return nil
	}
	options, err := h.Realm.Passkeys.LoginOptions()
	if err != nil {
		return err
	}
	if r.view.Passkey == nil {
		r.view.Passkey = &passkeyView{}
	}
	r.view.Passkey.Options = string(options)
	r.view.Script = h.assetPath(h.script)
	return nil
}

// passkeyOptions returns new options to a page that has been open for a while.
func (h *Handler) passkeyOptions(r *request) error {
	if !h.usesPasskeys() {
		return authcore.NotFound()
	}
	options, err := h.Realm.Passkeys.LoginOptions()
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Type", "application/json")
	_, _ = r.w.Write(options) // a client that is gone needs no answer
	return nil
}

// enterByPasskey signs in with a passkey.
func (h *Handler) enterByPasskey(r *request) error {
	if !h.usesPasskeys() {
		return authcore.NotFound()
	}
	response := []byte(r.PostForm.Get("credential"))
	grant, err := h.Realm.Logins.ByPasskey(r.Context(), login.PasskeyLogin{
		Credential: response, ClientKey: h.ClientKey, Caller: h.caller(r),
	})
	if r.view.wrongPasskey(err, response) {
		return h.showForm(r, http.StatusBadRequest)
	}
	return h.entered(r, grant, h.returnTo(r), err)
}

// wrongPasskey reports whether an error is about the response of an authenticator, and
// puts its text into the view.
func (v *view) wrongPasskey(err error, response []byte) bool {
	public, ok := asPublic(err)
	if !ok || public.Code != authcore.CodeInvalidPasskey && public.Code != authcore.CodeUnknownPasskey {
		return false
	}
	v.Error = v.failure(public)
	var credential struct{ ID string }
	if public.Code == authcore.CodeUnknownPasskey && json.Unmarshal(response, &credential) == nil {
		v.Passkey = &passkeyView{Unknown: credential.ID}
	}
	return true
}

// changePasskey adds, renames or removes a passkey.
func (h *Handler) changePasskey(r *request, claims *gate.Claims, change string) error {
	if !h.usesPasskeys() {
		return badForm()
	}
	ctx, id, name := r.Context(), r.PostForm.Get("id"), r.PostForm.Get("passkey_name")
	var err error
	switch change {
	case "add-passkey":
		_, err = h.Realm.Passkeys.Register(ctx, claims, passkey.Registration{
			Credential: []byte(r.PostForm.Get("credential")), Name: name, Caller: h.caller(r),
		})
	case "rename-passkey":
		_, err = h.Realm.Passkeys.Rename(ctx, claims, id, name)
	default:
		err = h.Realm.Passkeys.Delete(ctx, claims, h.caller(r), id)
	}
	return err
}

// addPasskeys adds the passkeys of the user to the account page, and the form that adds
// one. A user whose login is not recent signs in again first.
func (h *Handler) addPasskeys(r *request, claims *gate.Claims, shown *accountView) error {
	if !h.usesPasskeys() {
		return nil
	}
	passkeys, err := h.Realm.Passkeys.List(r.Context(), claims)
	if err != nil {
		return err
	}
	for _, one := range passkeys {
		shown.Passkeys = append(shown.Passkeys, passkeyRow{one.ID, one.CredentialID, one.Name, formatTime(one.LastUsed)})
	}
	// The form is sent to the address of the page, so that the parameter survives a failure.
	var returnTo string
	if asked := r.URL.Query(); asked.Has("return_to") {
		returnTo = h.checkedReturn(asked.Get("return_to"))
	}
	options, err := h.Realm.Passkeys.RegistrationOptions(r.Context(), claims)
	public, ok := asPublic(err)
	switch {
	case ok && confirmsFirst(public):
		shown.PasskeyAfter = h.confirmFor(public, accountFor(returnTo))
		return nil
	case ok && public.Code == authcore.CodeTooManyPasskeys:
		return nil
	case err != nil:
		return err
	}
	r.view.Passkey = &passkeyView{Options: string(options), ReturnTo: returnTo}
	r.view.Script = h.assetPath(h.script)
	return nil
}

// accountFor returns the account page, from which the form that adds a passkey continues
// to a page, unless this is "".
func accountFor(returnTo string) string {
	if returnTo == "" {
		return "/account"
	}
	return withReturn("/account", returnTo)
}

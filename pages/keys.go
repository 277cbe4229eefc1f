package pages

import (
	"net/http"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/apikey"
	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/internal/language"
)

// keysPath is the page with the API keys of the user, below the prefix.
const keysPath = "/account/keys"

// keysView contains the values of the page with API keys.
type keysView struct {
	Rows []keyRow
	// Create is set if the form that creates a key is shown. CreateAfter is the page that
	// comes before it, or "".
	Create      bool
	CreateAfter string
	// Name is the name that was entered, Roles are those of the user.
	Name      string
	Roles     []string
	Lifetimes []keyLifetime
	// Secret is a key that was created now.
	Secret string
}

// keyRow is an API key of the user.
type keyRow struct {
	ID, Name, Expires, LastUsed string
	Roles                       []string
}

// keyLifetime is one of the lifetimes that the form offers. Text is in the language of
// the page.
type keyLifetime struct {
	Value, Text string
	Selected    bool
}

// keyLifetimes returns the lifetimes to choose from, by the values of the form.
func keyLifetimes() map[string]time.Duration {
	const day = 24 * time.Hour
	return map[string]time.Duration{"7": 7 * day, "30": 30 * day, "90": 90 * day, "365": 365 * day}
}

// showsKeys reports whether the account page leads to API keys.
func (h *Handler) showsKeys() bool { return h.Realm.APIKeys.Use() != apikey.Off }

// keys shows the API keys of the user, creates and removes them.
func (h *Handler) keys(r *request, claims *gate.Claims) error {
	if !h.showsKeys() {
		return authcore.NotFound()
	}
	shown := &keysView{}
	var err error
	switch {
	case r.Method != http.MethodPost:
		r.view.Notice = map[string]string{"remove": r.view.Text.KeyRemoved}[r.URL.Query().Get("done")]
		return h.showKeys(r, claims, shown, http.StatusOK)
	case r.PostForm.Get("change") == "remove":
		if err = h.Realm.APIKeys.Revoke(r.Context(), claims.Subject, r.PostForm.Get("id")); err == nil {
			h.redirect(r, h.Prefix+keysPath+"?done=remove")
			return nil
		}
	case r.PostForm.Get("change") == "create":
		shown.Name = r.PostForm.Get("name")
		var created apikey.Created
		created, err = h.Realm.APIKeys.Create(r.Context(), claims, h.caller(r), apikey.Request{
			Name: shown.Name, Roles: r.PostForm["role"], Lifetime: keyLifetimes()[r.PostForm.Get("lifetime")],
		})
		if err == nil {
			// The answer is the only one that contains the key, and is not stored.
			shown.Name, shown.Secret = "", created.Secret
			return h.showKeys(r, claims, shown, http.StatusOK)
		}
	default:
		return badForm()
	}
	public, ok := asPublic(err)
	switch {
	case !ok || public.Status >= http.StatusInternalServerError || public.Status == http.StatusUnauthorized:
		return err
	case confirmsFirst(public):
		h.redirect(r, h.confirmFor(public, keysPath))
		return nil
	}
	r.view.Error = r.view.keyFault(public)
	return h.showKeys(r, claims, shown, public.Status)
}

// keyFault returns the text about a key that was not created or removed.
func (v *view) keyFault(err *authcore.Error) string {
	switch {
	case err.Fields["name"] != nil:
		return v.Text.ErrKeyName
	case err.Code == authcore.CodeTooManyKeys:
		return v.Text.ErrTooManyKeys
	}
	return v.failure(err)
}

func (h *Handler) showKeys(r *request, claims *gate.Claims, shown *keysView, status int) error {
	keys, err := h.Realm.APIKeys.List(r.Context(), claims.Subject)
	if err != nil {
		return err
	}
	for _, key := range keys {
		shown.Rows = append(shown.Rows, keyRow{
			ID: key.ID, Name: key.Name, Roles: key.Roles, Expires: formatTime(key.Expires), LastUsed: formatTime(key.LastUsed),
		})
	}
	r.view.Keys = shown
	if h.Realm.APIKeys.Use() != apikey.Users || shown.Secret != "" {
		return h.show(r, status, "keys")
	}
	user, err := h.Realm.Accounts.CurrentUser(r.Context(), claims)
	if err != nil {
		return err
	}
	shown.Roles = user.Roles
	for value, lifetime := range keyLifetimes() {
		shown.Lifetimes = append(shown.Lifetimes, keyLifetime{value, language.InWords(lifetime, r.view.Lang), value == "90"})
	}
	slices.SortFunc(shown.Lifetimes, func(a, b keyLifetime) int {
		return int(keyLifetimes()[a.Value] - keyLifetimes()[b.Value])
	})
	err = account.CheckRecentLogin(claims, h.Realm.Now(), "Sign in again to create an API key.")
	if err == nil {
		err = h.Realm.Accounts.CheckFactor(claims, user)
	}
	if public, refused := asPublic(err); refused {
		shown.CreateAfter = h.confirmFor(public, keysPath)
	}
	shown.Create = err == nil
	return h.show(r, status, "keys")
}

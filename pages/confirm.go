package pages

import (
	"net/http"
	"slices"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/account"
	"github.com/edgeauth/edgeauth/authcore/factor"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// confirmsFirst reports whether the user can make a refused call after the confirm page.
func confirmsFirst(err *authcore.Error) bool {
	return err.Code == authcore.CodeReauthenticationRequired || err.Code == authcore.CodeSecondFactorRequired
}

// confirmFor returns the address of the confirm page, which returns to a page of the
// account.
func (h *Handler) confirmFor(err *authcore.Error, page string) string {
	var asked needs
	if err.Code == authcore.CodeSecondFactorRequired {
		asked.levels = []string{"2"}
	}
	return withNeeds(h.Prefix+"/confirm", asked, h.Prefix+page)
}

// confirm asks a signed-in user for what a page requires and the session lacks: a recent
// login, a method, a second factor.
func (h *Handler) confirm(r *request) error {
	claims, err := h.claims(r)
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		values = r.PostForm
	}
	asked := readNeeds(values)
	switch {
	case err != nil:
		return err
	case h.SignInAt != "":
		return h.signInElsewhere(r, true)
	case h.returnToSite(r, "/confirm"):
		return nil
	case claims == nil:
		h.redirect(r, withReturn(h.Prefix+"/", h.returnTo(r)))
		return nil
	case r.Method != http.MethodPost:
		// Only what the token states sends the browser back, as the gate sees it. A limit
		// of the age depends on clocks, so that the browser could be sent to and fro.
		if !asked.isEmpty() && asked.maxAge == 0 && asked.hasFactor(claims) {
			h.redirect(r, h.returnTo(r))
			return nil
		}
		return h.showConfirm(r, claims, asked, http.StatusOK)
	case r.PostForm.Has("code") || r.PostForm.Has("recovery_code"):
		return h.verifyFactor(r, claims, asked)
	}
	return h.begin(r, claims)
}

// verifyFactor adds a second factor to the session.
func (h *Handler) verifyFactor(r *request, claims *gate.Claims, asked needs) error {
	grant, err := h.Realm.Factors.Verify(r.Context(), claims, factor.Proof{
		Code: r.PostForm.Get("code"), RecoveryCode: r.PostForm.Get("recovery_code"), Caller: h.caller(r),
	})
	if r.view.wrongCode(err) {
		return h.showConfirm(r, claims, asked, http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return h.enter(r, grant, h.returnTo(r))
}

// showConfirm shows the forms that help.
func (h *Handler) showConfirm(r *request, claims *gate.Claims, asked needs, status int) error {
	user, err := h.Realm.Accounts.CurrentUser(r.Context(), claims)
	if err != nil {
		return err
	}
	v := &r.view
	v.Claims, v.Needs, v.ReturnTo = claims, asked.fields(), h.returnTo(r)
	tooOld := asked.isTooOld(claims, h.Realm.Now())
	if tooOld {
		v.SignedInAt = time.Unix(claims.AuthTime, 0).UTC().Format(timeFormat)
	} else if h.Realm.Factors.Offered() {
		h.offerFactors(&v.Factor, user, asked.factors(claims))
	}
	return h.showLogins(r, claims, asked.logins(claims, tooOld), status)
}

// offerFactors offers the second factors among the accepted ones that the user has, or to
// add the application.
func (h *Handler) offerFactors(shown *factorView, user authcore.User, accepted []string) {
	has := account.FactorMethods(user)
	shown.Code = slices.Contains(accepted, authcore.FactorTOTP) && slices.Contains(has, authcore.FactorTOTP)
	shown.Recovery = slices.Contains(accepted, authcore.FactorRecovery) && slices.Contains(has, authcore.FactorRecovery)
	shown.Add = slices.Contains(accepted, authcore.FactorTOTP) && !slices.Contains(has, authcore.FactorTOTP)
}

// showLogins adds the accepted methods of a login to the confirm page.
func (h *Handler) showLogins(r *request, claims *gate.Claims, accepted []string, status int) error {
	v := &r.view
	if v.MailLogin = slices.Contains(accepted, "mail") && claims.Email != ""; v.MailLogin {
		h.showCaptcha(r)
	}
	if slices.Contains(accepted, "social") {
		if err := h.listProviders(r); err != nil {
			return err
		}
	}
	if slices.Contains(accepted, "passkey") && h.usesPasskeys() {
		registered, err := h.Realm.Passkeys.List(r.Context(), claims)
		if err != nil {
			return err
		}
		if v.Factor.AddPasskey = len(registered) == 0; !v.Factor.AddPasskey {
			if err := h.offerPasskey(r); err != nil {
				return err
			}
		}
	}
	f := &v.Factor
	f.Nothing = !v.MailLogin && len(v.Providers) == 0 && v.Passkey == nil && !f.Code && !f.Recovery
	f.Add, f.AddPasskey = f.Add && f.Nothing, f.AddPasskey && f.Nothing
	return h.show(r, status, "confirm")
}

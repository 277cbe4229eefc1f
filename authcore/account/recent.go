package account

import (
	"net/http"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// maxLoginAge is the age of a login that may change how the account is accessed.
const maxLoginAge = 15 * time.Minute

// CheckRecentLogin returns the 403 error reauthentication_required unless the token
// belongs to a recent login. Permanent changes require one: a token that leaked or a
// browser that was left open must not be enough for them. Detail describes the
// remedy to the user.
func CheckRecentLogin(claims *gate.Claims, now time.Time, detail string) error {
	if claims.AuthTime > 0 && now.Sub(time.Unix(claims.AuthTime, 0)) <= maxLoginAge {
		return nil
	}
	return authcore.NewError(http.StatusForbidden, authcore.CodeReauthenticationRequired, detail)
}

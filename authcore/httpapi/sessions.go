package httpapi

import (
	"net/http"
	"slices"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/gate"
)

// sessionBody is one of the user's sessions.
type sessionBody struct {
	ID        string `json:"id"`
	Client    string `json:"client"`
	Method    string `json:"method"`
	Created   string `json:"created"`
	LastSeen  string `json:"last_seen"`
	ExpiresAt string `json:"expires_at"`
	Address   string `json:"address"`
	UserAgent string `json:"user_agent"`
	// Current marks the session of the request's token.
	Current bool `json:"current"`
}

// refresh returns a successor of the token, which stays valid. A cookie is renewed once
// half of its life is over.
func (h *Handler) refresh(r *request, claims *gate.Claims) (answer, error) {
	if r.byCookie {
		return h.signedInAs(r)(h.realm.Sessions.Renew(r.Context(), authcore.SessionRef{UserID: claims.Subject, ID: claims.Session}))
	}
	return h.signedInAs(r)(h.realm.Sessions.Refresh(r.Context(), claims))
}

// logout ends the session of the token, which may be superseded, or all sessions of
// the user.
func (h *Handler) logout(r *request, claims *gate.Claims) (answer, error) {
	in, err := r.fields(flag("everywhere"))
	if err != nil {
		return answer{}, err
	}
	if err := h.realm.Sessions.Logout(r.Context(), claims, in.isSet("everywhere")); err != nil {
		return answer{}, err
	}
	h.forget(r)
	return answer{status: http.StatusNoContent}, nil
}

// sessionsPage limits the sessions of one answer, which has a few hundred bytes for
// each.
const sessionsPage = 100

// listSessions returns a page of the user's sessions, newest first: those after the
// session that the query names, or the first ones.
func (h *Handler) listSessions(r *request, claims *gate.Claims) (answer, error) {
	sessions, err := h.realm.Sessions.List(r.Context(), claims)
	if err != nil {
		return answer{}, err
	}
	if query := r.URL.Query(); query.Has("after") {
		i := slices.IndexFunc(sessions, func(s authcore.Session) bool { return s.ID == query.Get("after") })
		if i < 0 {
			return answer{}, authcore.FieldError(authcore.CodeInvalidRequest, "after", "There is no such session; begin again without it.")
		}
		sessions = sessions[i+1:]
	}
	sessions = sessions[:min(len(sessions), sessionsPage)]
	return replyList(sessions, nil, func(session authcore.Session) sessionBody {
		return sessionBody{
			ID:        session.ID,
			Client:    session.Client,
			Method:    session.Method,
			Created:   rfc3339(session.Created),
			LastSeen:  rfc3339(session.LastSeen),
			ExpiresAt: rfc3339(session.Expires),
			Address:   session.IP,
			UserAgent: session.UserAgent,
			Current:   session.ID == claims.Session,
		}
	})
}

// endSession ends one of the user's sessions. A session of another user is not found
// (CWE-639).
func (h *Handler) endSession(r *request, claims *gate.Claims) (answer, error) {
	return noContent(h.realm.Sessions.End(r.Context(), claims, r.param))
}

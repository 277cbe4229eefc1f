package httpapi

import (
	"net/http"

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
	// Current marks the session of the token that asks.
	Current bool `json:"current"`
}

// refresh exchanges the token for a fresh one.
func (h *Handler) refresh(r *request, claims *gate.Claims) (answer, error) {
	return signedInAs(h.service.Refresh(r.Context(), claims))
}

// logout ends this session, or all of the user's.
func (h *Handler) logout(r *request, claims *gate.Claims) (answer, error) {
	from, err := r.body()
	if err != nil {
		return answer{}, err
	}
	in, err := read(from, flag("everywhere"))
	if err != nil {
		return answer{}, err
	}
	if err := h.service.Logout(r.Context(), claims, in.isSet("everywhere")); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// listSessions returns the user's sessions, newest first.
func (h *Handler) listSessions(r *request, claims *gate.Claims) (answer, error) {
	sessions, err := h.service.Sessions(r.Context(), claims)
	if err != nil {
		return answer{}, err
	}
	list := make([]sessionBody, len(sessions))
	for i, session := range sessions {
		list[i] = sessionBody{
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
	}
	return reply(http.StatusOK, list)
}

// endSession ends one of the user's sessions. One of somebody else's is not
// found (CWE-639).
func (h *Handler) endSession(r *request, claims *gate.Claims) (answer, error) {
	if err := h.service.EndSession(r.Context(), claims, r.param); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

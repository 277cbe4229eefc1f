package caddymodule

import (
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// serveImport imports the users of a request; see socialauth.Importer.Serve.
func serveImport(w http.ResponseWriter, r *http.Request) {
	response, err := importUsers(w, r)
	if err != nil {
		answerAdmin(w, adminStatus(err), map[string]string{"error": err.Error()})
		return
	}
	answerAdmin(w, http.StatusOK, response)
}

func importUsers(w http.ResponseWriter, r *http.Request) (socialauth.Response, error) {
	live, release, err := activeRealm(r)
	if err != nil {
		return socialauth.Response{}, err
	}
	defer release()
	request, err := socialauth.ReadRequest(http.MaxBytesReader(w, r.Body, maxAdminBody))
	if err != nil {
		return socialauth.Response{}, &authcore.Error{Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest, Detail: err.Error()}
	}
	return live.importer.Serve(r.Context(), request)
}

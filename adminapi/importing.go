package adminapi

import (
	"net/http"

	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// importUsers imports the users of a request; see socialauth.Importer.Serve.
func importUsers(c *call) (any, error) {
	request, err := socialauth.ReadRequest(http.MaxBytesReader(c.writer, c.Body, MaxBody))
	if err != nil {
		return nil, invalid(err.Error())
	}
	return c.realm.Importer.Serve(c.Context(), request)
}

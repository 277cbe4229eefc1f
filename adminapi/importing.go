package adminapi

import (
	"net/http"
	"strconv"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
)

// importUsers imports the users of a request; see socialauth.Importer.Serve.
func importUsers(c *call) (any, error) {
	request, err := socialauth.ReadRequest(http.MaxBytesReader(c.writer, c.Body, MaxBody))
	if err != nil {
		return nil, invalid(err.Error())
	}
	result, err := c.realm.Importer.Serve(c.Context(), request)
	if !request.DryRun {
		event := authcore.Event{Name: authcore.EventImported, Detail: strconv.Itoa(len(request.Users))}
		if err != nil {
			event.Code = authcore.Unavailable(err).Code // users before the failure stay
		}
		c.realm.Observe(c.Context(), event)
	}
	return result, err
}

package socialauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/jsonobject"
)

// MaxRequestUsers limits the users of one Request. Each takes several steps of the
// store.
const MaxRequestUsers = 1000

// Request asks a server to import users.
type Request struct {
	// DryRun stores nothing.
	DryRun bool           `json:"dry_run,omitempty"`
	Users  []ImportedUser `json:"users"`
}

// Response reports the import of each user, in the order of the request.
type Response struct {
	Users []ImportResult `json:"users"`
}

// ReadRequest reads a request as JSON. The caller limits the length. An unknown or
// repeated member is refused: an address must not be lost.
func ReadRequest(body io.Reader) (Request, error) {
	var request Request
	text, err := io.ReadAll(body)
	if err == nil {
		err = jsonobject.Decode(text, &request)
	}
	if repeated, ok := errors.AsType[*jsonobject.RepeatedError](err); ok {
		return Request{}, invalid(repeated.Error())
	}
	if err != nil {
		return Request{}, invalid(`expected {"users": [{"logins": [{"provider": "…", "uid": "…"}], …}], …} of at most 1 MiB`)
	}
	if n := len(request.Users); n > MaxRequestUsers {
		return Request{}, invalid(fmt.Sprintf("%d users are too many for one request; send at most %d", n, MaxRequestUsers))
	}
	for n, user := range request.Users {
		if len(user.Logins) == 0 {
			return Request{}, invalid(fmt.Sprintf("user %d has no logins", n))
		}
	}
	return request, nil
}

// Serve imports the users of a request, one after the other. Users that were
// stored before an error stay, and are present when the request is repeated. A
// user that is not valid is reported in the response.
func (i *Importer) Serve(ctx context.Context, request Request) (Response, error) {
	response := Response{Users: make([]ImportResult, 0, len(request.Users))}
	for _, user := range request.Users {
		result, err := i.Import(ctx, user, request.DryRun)
		var public *authcore.Error
		switch {
		case errors.As(err, &public) && public.Status == http.StatusBadRequest:
			for range user.Logins {
				result.Refused = append(result.Refused, public.Detail)
			}
		case err != nil:
			return Response{}, err
		}
		response.Users = append(response.Users, result)
	}
	return response, nil
}

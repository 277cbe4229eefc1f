package adminapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strconv"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/realm"
	"github.com/edgeauth/edgeauth/contrib/socialauth"
	"github.com/edgeauth/edgeauth/internal/jsonobject"
)

// OperatorHeader is the header that names the operator on Caddy's admin endpoint.
const OperatorHeader = "Edgeauth-Operator"

// MaxBody limits the body of a request, in bytes.
const MaxBody = 1 << 20

// Realm holds what the API operates on. Fields are required unless noted otherwise.
type Realm struct {
	*realm.Realm
	Importer *socialauth.Importer
	// Backup writes a consistent copy of the store; nil if the store is backed up with
	// other tools.
	Backup func(context.Context, io.Writer) error
	// Checks returns the state of the mail queue and the providers, without I/O; optional.
	Checks func() []Check
	// Storage and Mailer are the names of modules for GET /settings; optional.
	Storage, Mailer string
}

// Source returns the realm of a request. Release is called when the request has been
// answered. An error other than *authcore.Error becomes a 503 response.
type Source func(*http.Request) (realm *Realm, release func(), err error)

// New returns a handler for the API. It serves paths without a prefix: see
// http.StripPrefix. The context of a request contains the operator; see
// authcore.WithOperator.
func New(source Source) http.Handler {
	a := &api{router: http.NewServeMux(), source: source}
	for pattern, perform := range operations() {
		a.handle(pattern, perform)
	}
	a.router.HandleFunc("POST /backup", a.backup)
	return a
}

// operations returns the operations by the patterns of their routes.
func operations() map[string]operation {
	return map[string]operation{
		"POST /lookup":                                  lookUp,
		"POST /users/search":                            search,
		"POST /users":                                   create,
		"GET /users/{user}":                             onUser(show),
		"DELETE /users/{user}":                          onUser(remove),
		"PUT /users/{user}/roles":                       onUser(setRoles),
		"POST /users/{user}/disable":                    onUser(disable),
		"POST /users/{user}/enable":                     onUser(enable),
		"GET /users/{user}/sessions":                    onUser(showSessions),
		"DELETE /users/{user}/sessions":                 onUser(endSessions),
		"DELETE /users/{user}/sessions/{session}":       onUser(endSessions),
		"DELETE /users/{user}/factors/{kind}/{factor}":  onUser(removeFactor),
		"GET /invitations":                              listInvitations,
		"POST /invitations":                             invite,
		"DELETE /invitations/{invitation}":              revokeInvitation,
		"GET /signing-keys":                             onKeys(func(context.Context, *call) error { return nil }),
		"POST /signing-keys/rotate":                     onKeys(rotate),
		"DELETE /signing-keys":                          onKeys(revokeAll),
		"DELETE /signing-keys/{key}":                    onKeys(revokeKey),
		"GET /api-keys":                                 listAPIKeys,
		"POST /api-keys":                                createAPIKey,
		"DELETE /api-keys/{key}":                        revokeAPIKey,
		"POST /audit/search":                            searchAudit,
		"GET /webhooks":                                 onWebhooks(showWebhooks),
		"GET /webhooks/{webhook}/dead":                  onWebhooks(listDead),
		"POST /webhooks/{webhook}/dead/{message}/retry": onWebhooks(retryDead),
		"DELETE /webhooks/{webhook}/dead/{message}":     onWebhooks(discardDead),
		"POST /import":                                  importUsers,
		"GET /health":                                   health,
		"GET /settings":                                 settings,
	}
}

// api implements the handler of New.
type api struct {
	router *http.ServeMux
	source Source
}

// ServeHTTP answers a request. Unknown paths and methods have the error format of the
// API. The router would redirect a path that is not clean, so that "/signing-keys/." means
// all keys.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path.Clean(r.URL.Path) != r.URL.Path {
		(&plainErrors{ResponseWriter: w}).WriteHeader(http.StatusNotFound)
		return
	}
	if _, pattern := a.router.Handler(r); pattern == "" {
		a.router.ServeHTTP(&plainErrors{ResponseWriter: w}, r)
		return
	}
	a.router.ServeHTTP(w, r)
}

// operation performs a request and returns the body of the response, or nil for 204.
type operation func(*call) (body any, err error)

// call is a request for a realm.
type call struct {
	*http.Request
	realm  *Realm
	writer http.ResponseWriter
	// status is that of a response with a body.
	status int
}

func (a *api) handle(pattern string, perform operation) {
	a.router.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, writer: w, status: http.StatusOK}
		body, err := c.perform(a.source, perform)
		switch {
		case err != nil:
			answerError(w, err)
		case body == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			answer(w, c.status, body)
		}
	})
}

func (c *call) perform(source Source, perform operation) (any, error) {
	found, release, err := source(c.Request)
	if err != nil {
		return nil, err
	}
	defer release()
	c.realm = found
	return perform(c)
}

// read decodes the JSON body of a request, an object. Unknown and repeated members are an
// error, so that a misspelt filter does not select all users.
func (c *call) read(into any, expected string) error {
	text, err := io.ReadAll(http.MaxBytesReader(c.writer, c.Body, MaxBody))
	if err == nil {
		err = jsonobject.Decode(text, into)
	}
	if repeated, ok := errors.AsType[*jsonobject.RepeatedError](err); ok {
		return invalid("Body: " + repeated.Error() + ".")
	}
	if err != nil {
		return invalid("Expected " + expected + ".")
	}
	return nil
}

// limit returns the query parameter limit: the size of a page, or 0.
func (c *call) limit() (int, error) {
	text := c.URL.Query().Get("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 {
		return 0, invalid("limit: use a positive number.")
	}
	return limit, nil
}

// notFound is a 404 error.
func notFound(sentence string) *authcore.Error {
	return &authcore.Error{Status: http.StatusNotFound, Code: authcore.CodeNotFound, Detail: sentence}
}

// invalid is the 400 error.
func invalid(sentence string) *authcore.Error {
	return &authcore.Error{Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest, Detail: sentence}
}

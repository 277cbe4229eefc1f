package gate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/authcore/httpapi"
	"github.com/edgeauth/edgeauth/storage/memory"
)

// exampleEdge is an edge for examples, at which two people have logged in and
// one out. It panics where a test would fail.
func exampleEdge() (server *httptest.Server, in, out string) {
	const template = "https://frontend.app/auth/link/"
	ctx := context.Background()
	service, err := authcore.New(ctx, authcore.Config{
		EmailLink: template + authcore.LinkPlaceholder, DebugLinks: true,
		Clients: []authcore.Client{{Name: "web", Key: "web-key"}}, Store: memory.New(),
	})
	must(err)
	login := func(email string) string {
		sent, err := service.RequestLink(ctx, authcore.LinkRequest{Email: email})
		must(err)
		done, err := service.LoginByLink(ctx, authcore.LinkLogin{Token: strings.TrimPrefix(sent.DebugLink, template), ClientKey: "web-key"})
		must(err)
		return done.Token
	}
	in, out = login("ann@example.com"), login("bob@example.com")
	claims, err := service.Authenticate(ctx, []string{"Token " + out})
	must(err)
	must(service.Logout(ctx, claims, false))
	return httptest.NewServer(httpapi.New(httpapi.Options{Service: service})), in, out
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// exampleCall sends a request with a token and returns status and body.
func exampleCall(h http.Handler, token string) string {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Token "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return fmt.Sprint(w.Code, " ", w.Body)
}

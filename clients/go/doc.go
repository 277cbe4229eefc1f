// Package edgeauth verifies login tokens and assertions of edgeauth without a request for
// each. It is a module of its own, so that an application does not depend on Caddy.
//
//	edge, err := edgeauth.New(ctx, edgeauth.Options{API: "https://api.example.com/v1/auth"})
//	go edge.Follow(ctx)
//	http.Handle("/", edge.Require(application)) // edgeauth.User(r.Context()) in a handler
package edgeauth

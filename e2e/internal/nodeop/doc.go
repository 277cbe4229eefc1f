// Package nodeop runs npm's oidc-provider, an OpenID provider that is independent of
// the libraries of the other tests.
package nodeop

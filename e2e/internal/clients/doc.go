// Package clients runs libraries of other projects with which frontends call the
// login API: satellizer, axios-auth-refresh, ky, oauth4webapi and AppAuth.
package clients

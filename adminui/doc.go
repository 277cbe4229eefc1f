// Package adminui serves the page on which operators see and change users, roles,
// sessions, invitations, API keys, the audit trail and webhooks.
//
//	browser ──▶ Handler ──▶ embedded files      index.html, style.css, *.js
//	                   └──▶ the admin API       everything below api/
//
// The page is made of static files and uses the admin API alone. It sets text as text,
// and its Content-Security-Policy allows no code and no style of others.
//
// The package does not decide who may use the page: the caller does, before it calls
// Handler.ServeHTTP.
package adminui

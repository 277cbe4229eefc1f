// Package pages serves the login page: a person with a browser signs in by mail or
// through a provider, manages the account, and signs out. A session is kept in a
// cookie that contains the signed token; see package gate.
//
// Pages are rendered by html/template, work without JavaScript and load one style
// sheet. GET and HEAD change nothing, except where a browser returns from another
// site: the callback of a provider and the handoff of another site of the realm. Forms
// are protected by the origin of the request and contain no token (CWE-352).
package pages

// Package account decides which users may log in and which logins belong to one
// user, and serves the calls with which users and operators manage accounts.
//
// [Rules] are the account rules of a realm: sign-up, linking by address, and lists
// of allowed and denied addresses. Package login applies them to a login, package
// session to a refresh, and [Service.Unlink] to the login methods that would be
// left. All three call [Rules.AdmitsUser], so that they cannot differ.
//
//	login ─────┐
//	session ───┼──▶ Rules.AdmitsUser ──▶ allow and deny lists
//	Unlink ────┘
//
// Every change of an account is one step of the store. Revocations that a step
// makes are in force on this node when the call returns.
package account

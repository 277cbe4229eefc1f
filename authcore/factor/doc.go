// Package factor manages second factors of users: one-time codes of authenticator
// applications (TOTP, RFC 6238), recovery codes and remembered devices.
//
// [authcore.User.Factors] names the factors that a user has, and is changed in one step
// with the sessions of the user. The secrets are in records. A record that the user does
// not name has no effect, so that a crash between two steps leaves no half of a factor.
package factor

// Package totp makes the codes that an authenticator application shows (RFC 6238).
package totp

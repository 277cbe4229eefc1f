// Package faulty is an OpenID provider that fails in every way a provider can
// fail, at every step of a login.
//
// One server plays many providers: each pair of a Stage and a Fault is an issuer
// of its own, which is right in everything before that stage.
package faulty

// Package openid runs an OpenID provider (github.com/zitadel/oidc) with storage in
// memory. Its login page immediately approves the person that the test signed in.
//
// Tests can alter its answers, to play a faulty provider.
package openid

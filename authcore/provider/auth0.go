package provider

// auth0 is a tenant of Auth0 (https://auth0.com/docs/authenticate). Its issuer
// is its domain with a slash at the end. The subject names the connection too:
// "google-oauth2|1234".
func auth0() spec {
	s := generalOIDC()
	s.kind = "auth0"
	s.issuerEndsInSlash = true
	return s
}

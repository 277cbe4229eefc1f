package provider

// auth0 describes a tenant of Auth0 (https://auth0.com/docs/authenticate). The
// issuer is the tenant's domain with a trailing slash. Subjects include the
// connection: "google-oauth2|1234".
func auth0() spec {
	s := generalOIDC()
	s.kind = "auth0"
	s.issuerEndsInSlash = true
	return s
}

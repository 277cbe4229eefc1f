package provider

// okta describes an Okta organization or one of its authorization servers
// (https://developer.okta.com/docs/reference/api/oidc/): the issuer is
// https://example.okta.com or https://example.okta.com/oauth2/default.
//
// The subject is "sub". python-social-auth uses preferred_username, which an
// administrator can reassign.
func okta() spec {
	s := generalOIDC()
	s.kind = "okta-openidconnect"
	return s
}

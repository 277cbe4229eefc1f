package provider

// keycloak describes a realm of a Keycloak server
// (https://www.keycloak.org/securing-apps/oidc-layers): the issuer is
// https://login.example.com/realms/main.
//
// The subject is "sub". python-social-auth uses preferred_username, which can be
// changed and reassigned, and one fixed public key; here the keys come from
// discovery and may rotate.
func keycloak() spec {
	s := generalOIDC()
	s.kind = "keycloak"
	return s
}

package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"sync"

	"github.com/edgeauth/edgeauth/authcore"
)

// bearer is a plain request for the user info.
const bearer = "GET  Bearer " + testAccess

// appleKey returns a key in Apple's format.
var appleKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

func pemOf(key any) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// proofOf returns Facebook's appsecret_proof.
func proofOf(secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}

func sha256Of(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func ada(issuer, subject string) authcore.Profile {
	return authcore.Profile{
		Issuer: issuer, Subject: subject, Email: "ada@example.com", EmailVerified: true, FirstName: "Ada", LastName: "Lovelace",
	}
}

// unverified returns a profile whose address is not verified.
func unverified(profile authcore.Profile) authcore.Profile {
	profile.EmailVerified = false
	return profile
}

func named(profile authcore.Profile, nickname, avatar string) authcore.Profile {
	profile.Nickname, profile.AvatarURL = nickname, avatar
	return profile
}

// usual are the errors of RFC 6749, section 5.2.
func usual(more ...documented) []documented {
	return append([]documented{
		{"token", 400, `{"error":"invalid_grant","error_description":"quoted"}`, authcore.ErrProviderDenied},
		{"token", 401, `{"error":"invalid_client","error_description":"quoted"}`, authcore.ErrProviderFailed},
		{"token", 400, `{"error":"unauthorized_client"}`, authcore.ErrProviderFailed},
		{"token", 400, `{"error":"unsupported_grant_type"}`, authcore.ErrProviderFailed},
		{"token", 400, `{"error":"invalid_scope"}`, authcore.ErrProviderFailed},
		{"token", 429, `{"message":"quoted"}`, authcore.ErrProviderFailed},
		{"token", 503, `{"error":"temporarily_unavailable"}`, authcore.ErrProviderFailed},
	}, more...)
}

// faultyOpenID are the errors of an OpenID Connect provider.
func faultyOpenID(more ...documented) []documented {
	return append(usual(
		documented{"token", 400, `{"error":"invalid_request","error_description":"quoted"}`, authcore.ErrProviderFailed},
		documented{"token", 403, `{"error":"access_denied"}`, authcore.ErrProviderDenied},
		documented{"token", 200, `{"access_token":"a","token_type":"Bearer"}`, authcore.ErrProviderFailed},
		documented{"keys", 500, `{}`, authcore.ErrProviderFailed},
	), more...)
}

// rows are all kinds, in the order of Kinds.
func rows() []recorded {
	return []recorded{
		{
			kind: "apple-id",
			cfg:  Config{TeamID: "TEAM123456", KeyID: "KEY1234567", PrivateKey: pemOf(appleKey())},
			want: ada("https://appleid.apple.com", "001234.a0b1c2d3e4f5061728394a5b6c7d8e9f.1234"),
			id:   place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			authorize: "nonce=nonce-1&response_mode=form_post&scope=name email", plainCode: true,
			errors: faultyOpenID(),
		},
		{
			kind: "auth0", cfg: Config{Issuer: "https://example.eu.auth0.com"},
			want: named(ada("https://example.eu.auth0.com/", "google-oauth2|110169484474386276334"), "ada", "https://s.gravatar.com/avatar/1?s=480&r=pg"),
			id:   place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&nonce=nonce-1&scope=openid profile email", basic: true,
			errors: faultyOpenID(documented{"token", 403, `{"error":"invalid_grant","error_description":"quoted"}`, authcore.ErrProviderDenied}),
		},
		{
			kind: "azuread-oauth2",
			want: named(ada("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", "690222be-ff1a-4d56-abd1-7e4f7d38e474"), "ada@example.com", ""),
			id:   place{"claims", "oid"}, email: place{"claims", "email"}, verified: place{"claims", "xms_edov"},
			unverified: []any{false, "false", nil, absent, 0, "0", 2, "yes", []int{1}},
			authorize:  "code_challenge=challenge-1&code_challenge_method=S256&nonce=nonce-1&scope=openid profile email",
			errors: faultyOpenID(
				documented{"token", 400, `{"error":"invalid_grant","error_description":"AADSTS54005: quoted","error_codes":[54005]}`, authcore.ErrProviderDenied},
				documented{"token", 400, `{"error":"interaction_required","error_description":"AADSTS50079: quoted"}`, authcore.ErrProviderDenied},
				documented{"token", 401, `{"error":"invalid_client","error_description":"AADSTS7000215: quoted"}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "bitbucket-oauth2", emails: "https://api.bitbucket.org/2.0/user/emails",
			want: named(ada("", "{d7dd0e2d-3994-4a50-a9ee-d260b6cefdab}"), "ada",
				"https://avatar-management--avatars.us-west-2.prod.public.atl-paas.net/initials/AL-1.png"),
			id: place{"user", "uuid"}, email: place{"emails", "values.1.email"}, verified: place{"emails", "values.1.is_confirmed"},
			unverified: []any{false, "true", nil, absent, 1},
			authorize:  "scope=account email", basic: true, plainCode: true,
			user: bearer, emailQuery: "pagelen=100",
			errors: usual(
				documented{"user", 401, `{"type":"error","error":{"message":"quoted"}}`, authcore.ErrProviderFailed},
				documented{"emails", 429, `{"type":"error","error":{"message":"quoted"}}`, authcore.ErrProviderFailed},
				documented{"emails", 200, `{"type":"error","error":{"message":"quoted"}}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "discord",
			want: named(ada("", "80351110224678912"), "ada", "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png"),
			id:   place{"user", "id"}, email: place{"user", "email"}, verified: place{"user", "verified"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&scope=identify email", user: bearer,
			errors: usual(documented{"user", 401, `{"message":"401: Unauthorized","code":0}`, authcore.ErrProviderFailed}),
		},
		{
			kind: "facebook",
			want: named(unverified(ada("https://www.facebook.com", "10220000000000001")), "", "https://platform-lookaside.fbsbx.com/platform/profilepic/?asid=1"),
			id:   place{"user", "id"}, email: place{"user", "email"},
			authorize: "scope=public_profile,email", plainCode: true,
			user: "GET appsecret_proof=" + proofOf(testSecret, testAccess) +
				"&fields=id,name,first_name,last_name,email,picture.type(large) Bearer " + testAccess,
			errors: []documented{
				{"token", 400, `{"error":{"message":"quoted","type":"OAuthException","code":100,"error_subcode":36007}}`, authcore.ErrProviderDenied},
				{"token", 400, `{"error":{"message":"quoted","type":"OAuthException","code":100,"error_subcode":36008}}`, authcore.ErrProviderDenied},
				{"token", 400, `{"error":{"message":"quoted","type":"OAuthException","code":100,"error_subcode":36009,"fbtrace_id":"A1"}}`, authcore.ErrProviderDenied},
				{"token", 400, `{"error":{"message":"quoted","type":"OAuthException","code":100}}`, authcore.ErrProviderFailed},
				{"token", 400, `{"error":{"message":"quoted","type":"OAuthException","code":101}}`, authcore.ErrProviderFailed},
				{"token", 400, `{"error":{"message":"quoted","type":"OAuthException","code":4}}`, authcore.ErrProviderFailed},
				{"token", 400, `{"error_code":100,"error_message":"quoted"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"error":{"message":"quoted","type":"OAuthException","code":1}}`, authcore.ErrProviderFailed},
				{"user", 400, `{"error":{"message":"quoted","type":"OAuthException","code":190,"error_subcode":458}}`, authcore.ErrProviderDenied},
				{"user", 400, `{"error":{"message":"quoted","type":"GraphMethodException","code":100}}`, authcore.ErrProviderFailed},
				{"user", 403, `{"error":{"message":"quoted","type":"OAuthException","code":4}}`, authcore.ErrProviderFailed},
				{"user", 200, `false`, authcore.ErrProviderFailed},
			},
		},
		{
			kind: "github", emails: "https://api.github.com/user/emails",
			want: authcore.Profile{
				Subject: "9007199254740993", Email: "ada@example.com", EmailVerified: true, FirstName: "Ada King", LastName: "Lovelace",
				Nickname: "ada", AvatarURL: "https://avatars.githubusercontent.com/u/1?v=4",
			},
			id: place{"user", "id"}, email: place{"emails", "1.email"}, verified: place{"emails", "1.verified"},
			withoutEmail: func(s *script) { s.docs["emails"] = []any{s.docs["emails"].([]any)[0]} },
			unverified:   []any{false, "true", nil, absent, 1},
			authorize:    "code_challenge=challenge-1&code_challenge_method=S256&scope=user:email",
			user:         bearer, emailQuery: "page=1&per_page=100",
			// https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
			errors: []documented{
				{"token", 200, `{"error":"bad_verification_code","error_description":"quoted"}`, authcore.ErrProviderDenied},
				{"token", 200, `{"error":"unverified_user_email","error_description":"ada@example.com"}`, authcore.ErrProviderDenied},
				{"token", 200, `{"error":"incorrect_client_credentials"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"error":"redirect_uri_mismatch"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"error":"application_suspended"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"error":"bad_verification_code","access_token":"` + testAccess + `"}`, authcore.ErrProviderDenied},
				{"token", 200, `{"access_token":"","token_type":"bearer"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"access_token":"a","token_type":"mac"}`, authcore.ErrProviderFailed},
				{"token", 429, `{"message":"quoted"}`, authcore.ErrProviderFailed},
				{"user", 401, `{"message":"Bad credentials"}`, authcore.ErrProviderFailed},
				{"emails", 500, `{}`, authcore.ErrProviderFailed},
			},
		},
		{
			kind: "gitlab",
			want: named(ada("", "1"), "ada", "https://secure.gravatar.com/avatar/1?s=80&d=identicon"),
			id:   place{"user", "id"}, email: place{"user", "email"}, verified: place{"user", "confirmed_at"},
			unverified: []any{"", nil, absent, true, 1},
			authorize:  "code_challenge=challenge-1&code_challenge_method=S256&scope=read_user", user: bearer,
			errors: usual(
				documented{"user", 401, `{"message":"401 Unauthorized"}`, authcore.ErrProviderFailed},
				documented{"user", 403, `{"error":"insufficient_scope","error_description":"quoted","scope":"api read_user"}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "gitlab", mode: "openid", cfg: Config{Scopes: []string{"openid", "profile", "email"}},
			want: named(ada("", "1"), "ada", "https://secure.gravatar.com/avatar/1?s=80&d=identicon"),
			id:   place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			// Claims that the ID token lacks come from the unchanged user info.
			unverified:   []any{false, "false", 0, "yes", []bool{true}},
			withoutEmail: func(s *script) { s.set(place{"user", "email"}, absent) },
			authorize:    "code_challenge=challenge-1&code_challenge_method=S256&nonce=nonce-1&scope=openid profile email",
			errors: faultyOpenID(
				documented{"token", 401, `{"error":"invalid_grant","error_description":"quoted"}`, authcore.ErrProviderDenied},
			),
		},
		{
			kind: "google-oauth2",
			want: authcore.Profile{
				Issuer: "https://accounts.google.com", Subject: "110169484474386276334", FormerSubject: "ada@example.com",
				Email: "ada@example.com", EmailVerified: true, FirstName: "Ada", LastName: "King Lovelace", AvatarURL: "https://lh3.googleusercontent.com/a/photo=s96-c",
			},
			id: place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&nonce=nonce-1&scope=openid email profile",
			errors: faultyOpenID(
				documented{"token", 400, `{"error":"invalid_grant","error_description":"Malformed auth code."}`, authcore.ErrProviderDenied},
				documented{"token", 400, `{"error":"admin_policy_enforced"}`, authcore.ErrProviderDenied},
				documented{"token", 403, `{"error":"org_internal"}`, authcore.ErrProviderDenied},
				documented{"token", 401, `{"error":"deleted_client"}`, authcore.ErrProviderFailed},
				documented{"token", 400, `{"error":"redirect_uri_mismatch"}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "keycloak", cfg: Config{Issuer: "https://login.example.com/realms/main"},
			want: named(ada("https://login.example.com/realms/main", "5c9b6f43-0d7a-4a5e-8a11-2f6a7a0f9c1d"), "ada", ""),
			id:   place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&nonce=nonce-1&scope=openid profile email", basic: true,
			errors: faultyOpenID(documented{"token", 400, `{"error":"invalid_grant","error_description":"PKCE verification failed: quoted"}`, authcore.ErrProviderDenied}),
		},
		{
			kind: "linkedin-oauth2", emails: "https://api.linkedin.com/v2/emailAddress",
			want: unverified(ada("", "REDACTED-yrZCpj2Z12")),
			id:   place{"user", "id"}, email: place{"emails", "elements.0.handle~.emailAddress"},
			authorize: "scope=r_liteprofile r_emailaddress", plainCode: true,
			user: "GET projection=(id,firstName,lastName) Bearer " + testAccess, emailQuery: "projection=(elements*(handle~))&q=members",
			errors: usual(
				documented{"token", 400, `{"error":"invalid_request","error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"token", 400, `{"error":"invalid_redirect_uri","error_description":"quoted"}`, authcore.ErrProviderFailed},
				documented{"user", 401, `{"serviceErrorCode":65601,"message":"quoted","status":401}`, authcore.ErrProviderFailed},
				documented{"user", 403, `{"serviceErrorCode":100,"message":"quoted","status":403}`, authcore.ErrProviderFailed},
				documented{"emails", 500, `{}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "linkedin-openidconnect",
			want: named(ada("https://www.linkedin.com/oauth", "782bbtaQ"), "", "https://media.licdn.com/dms/image/1/profile-displayphoto-shrink_100_100/0"),
			id:   place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			authorize: "scope=openid profile email", plainCode: true,
			errors: usual(
				documented{"token", 400, `{"error":"invalid_request","error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"token", 400, `{"error":"invalid_redirect_uri","error_description":"quoted"}`, authcore.ErrProviderFailed},
				documented{"token", 200, `{"access_token":"a","token_type":"Bearer"}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "mailru",
			want: named(unverified(ada("", "1a2b3c4d5e6f")), "ada", "https://filin.mail.ru/pic?d=1&width=180&height=180"),
			id:   place{"user", "id"}, email: place{"user", "email"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&scope=userinfo", basic: true,
			user: "GET access_token=" + testAccess,
			errors: usual(
				documented{"token", 200, `{"error":"invalid_request","error_code":3,"error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"user", 200, `{"error":"token not found","error_code":6}`, authcore.ErrProviderFailed},
				documented{"user", 401, `{"error":"quoted","error_code":3}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "mailru-oauth2",
			want: named(unverified(authcore.Profile{
				Subject: "15410773191172635989", Email: "ada@example.com", FirstName: "Ада", LastName: "Lovelace",
			}), "ada", "https://avt.appsmail.ru/mail/ada/_avatarbig"),
			id: place{"user", "0.uid"}, email: place{"user", "0.email"},
			plainCode: true,
			user: "GET app_id=client-1&method=users.getInfo&secure=1&session_key=" + testAccess +
				"&sig=" + md5Of("app_id=client-1method=users.getInfosecure=1session_key="+testAccess+testSecret),
			errors: usual(
				documented{"token", 400, `{"error":"invalid_request","error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"user", 200, `{"error":{"error_code":102,"error_msg":"quoted"}}`, authcore.ErrProviderDenied},
				documented{"user", 401, `{"error":{"error_code":102,"error_msg":"quoted"}}`, authcore.ErrProviderDenied},
				documented{"user", 200, `{"error":{"error_code":104,"error_msg":"Incorrect signature"}}`, authcore.ErrProviderFailed},
				documented{"user", 200, `[]`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "microsoft-graph",
			want: named(unverified(ada("", "690222be-ff1a-4d56-abd1-7e4f7d38e474")), "ada@example.onmicrosoft.com", ""),
			id:   place{"user", "id"}, email: place{"user", "mail"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&scope=User.Read", user: bearer,
			errors: usual(
				documented{"token", 400, `{"error":"invalid_grant","error_description":"AADSTS70008: quoted"}`, authcore.ErrProviderDenied},
				documented{"user", 401, `{"error":{"code":"InvalidAuthenticationToken","message":"quoted"}}`, authcore.ErrProviderFailed},
				documented{"user", 403, `{"error":{"code":"Authorization_RequestDenied","message":"quoted"}}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "oauth2",
			cfg: Config{
				Name: "intranet", AuthorizeURL: "https://intranet.example/authorize", TokenURL: "https://intranet.example/token",
				UserInfoURL: "https://intranet.example/api/me", Scopes: []string{"me", "mail"}, Fields: map[string]string{
					"subject": "data.user.id", "email": "data.contact.mail", "email_verified": "data.contact.confirmed",
					"name": "data.user.full_name", "nickname": "data.user.login", "avatar": "data.user.photos.1.href",
				},
			},
			want: named(ada("https://intranet.example", "4711"), "ada", "https://intranet.example/ada-l.png"),
			id:   place{"user", "data.user.id"}, email: place{"user", "data.contact.mail"}, verified: place{"user", "data.contact.confirmed"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&scope=me mail", basic: true, user: bearer,
			errors: usual(documented{"user", 401, `{"error":"quoted"}`, authcore.ErrProviderFailed}),
		},
		{
			kind: "oidc", cfg: Config{Name: "corporate", Issuer: testIssuer},
			want: named(ada(testIssuer, "subject-1"), "ada", "https://idp.example/ada.png"),
			id:   place{"claims", "sub"}, email: place{"user", "email"}, verified: place{"user", "email_verified"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&nonce=nonce-1&scope=openid profile email", basic: true, user: bearer,
			errors: faultyOpenID(
				documented{"token", 401, `{"error":"invalid_grant"}`, authcore.ErrProviderDenied},
				documented{"token", 400, `{"error":"interaction_required"}`, authcore.ErrProviderDenied},
				documented{"token", 500, `{"error":"invalid_grant"}`, authcore.ErrProviderFailed},
				documented{"token", 400, `{"error":"` + testSecret + `"}`, authcore.ErrProviderFailed},
				documented{"token", 400, testSecret, authcore.ErrProviderFailed},
				documented{"user", 401, `{"error":"invalid_token"}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "okta-openidconnect", cfg: Config{Issuer: "https://example.okta.com/oauth2/default"},
			want: named(ada("https://example.okta.com/oauth2/default", "00uid4BxXw6I6TV4m0g3"), "ada@example.com", ""),
			id:   place{"claims", "sub"}, email: place{"user", "email"}, verified: place{"user", "email_verified"},
			withoutEmail: func(s *script) { s.set(place{"claims", "email"}, absent) },
			authorize:    "code_challenge=challenge-1&code_challenge_method=S256&nonce=nonce-1&scope=openid profile email", basic: true, user: bearer,
			errors: faultyOpenID(documented{"token", 400, `{"error":"invalid_grant","error_description":"quoted"}`, authcore.ErrProviderDenied}),
		},
		{
			kind: "slack",
			want: named(ada("https://slack.com/T0R7GR", "U0R7JM"), "", "https://secure.gravatar.com/avatar/1.jpg"),
			id:   place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			authorize: "nonce=nonce-1&scope=openid profile email", plainCode: true,
			errors: []documented{
				{"token", 200, `{"ok":false,"error":"invalid_code"}`, authcore.ErrProviderDenied},
				{"token", 200, `{"ok":false,"error":"code_already_used"}`, authcore.ErrProviderDenied},
				{"token", 200, `{"ok":false,"error":"access_denied"}`, authcore.ErrProviderDenied},
				{"token", 200, `{"ok":false,"error":"invalid_client_id"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"ok":false,"error":"bad_client_secret"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"ok":false,"error":"bad_redirect_uri"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"ok":false,"error":"quoted"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"ok":false}`, authcore.ErrProviderFailed},
				{"token", 429, `{"ok":false,"error":"ratelimited"}`, authcore.ErrProviderFailed},
			},
		},
		{
			kind: "spotify",
			want: named(unverified(ada("", "smedjan31ada")), "", "https://i.scdn.co/image/ab67616d00001e02ff9ca10b55ce82ae553c8228"),
			id:   place{"user", "id"}, email: place{"user", "email"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&scope=user-read-email", basic: true, user: bearer,
			errors: usual(
				documented{"user", 401, `{"error":{"status":401,"message":"quoted"}}`, authcore.ErrProviderFailed},
				documented{"user", 403, `quoted`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "twitch",
			want: named(authcore.Profile{Subject: "141981764", Email: "ada@example.com", EmailVerified: true, FirstName: "Ada"},
				"ada", "https://static-cdn.jtvnw.net/jtv_user_pictures/ada-300x300.png"),
			id: place{"user", "data.0.id"}, email: place{"user", "data.0.email"},
			authorize: "scope=user:read:email", plainCode: true, user: bearer + " Client-Id: client-1",
			errors: []documented{
				{"token", 400, `{"status":400,"message":"Invalid authorization code"}`, authcore.ErrProviderDenied},
				{"token", 400, `{"status":400,"message":"invalid client"}`, authcore.ErrProviderFailed},
				{"token", 403, `{"status":403,"message":"invalid client secret"}`, authcore.ErrProviderFailed},
				{"token", 400, `{"status":400,"message":"Parameter redirect_uri does not match registered URI"}`, authcore.ErrProviderFailed},
				{"user", 401, `{"error":"Unauthorized","status":401,"message":"quoted"}`, authcore.ErrProviderFailed},
				{"user", 200, `{"data":[]}`, authcore.ErrProviderFailed},
			},
		},
		{
			kind: "twitch", mode: "openid", cfg: Config{Scopes: []string{"openid", "user:read:email"}},
			want: named(authcore.Profile{Subject: "141981764", Email: "ada@example.com", EmailVerified: true, FirstName: "Ada"},
				"Ada", "https://static-cdn.jtvnw.net/jtv_user_pictures/ada-300x300.png"),
			id: place{"claims", "sub"}, email: place{"claims", "email"}, verified: place{"claims", "email_verified"},
			authorize: `claims={"id_token":{"email":null,"email_verified":null,"picture":null,"preferred_username":null}}` +
				"&nonce=nonce-1&scope=openid user:read:email",
			plainCode: true,
			errors: []documented{
				{"token", 400, `{"status":400,"message":"Invalid authorization code"}`, authcore.ErrProviderDenied},
				{"token", 403, `{"status":403,"message":"invalid client secret"}`, authcore.ErrProviderFailed},
				{"token", 200, `{"access_token":"a","token_type":"bearer"}`, authcore.ErrProviderFailed},
				{"keys", 500, `{}`, authcore.ErrProviderFailed},
			},
		},
		{
			kind: "twitter-oauth2",
			want: named(ada("", "2244994945"), "ada", "https://pbs.twimg.com/profile_images/1/ada_normal.jpg"),
			id:   place{"user", "data.id"}, email: place{"user", "data.confirmed_email"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&scope=users.read tweet.read users.email", basic: true,
			user: "GET user.fields=id,name,username,profile_image_url,confirmed_email Bearer " + testAccess,
			errors: usual(
				documented{"token", 400, `{"error":"invalid_request","error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"user", 401, `{"title":"Unauthorized","type":"about:blank","status":401,"detail":"quoted"}`, authcore.ErrProviderFailed},
				documented{"user", 403, `{"title":"Forbidden","reason":"client-not-enrolled","detail":"quoted"}`, authcore.ErrProviderFailed},
				documented{"user", 200, `{"errors":[{"title":"Not Found Error","detail":"quoted"}]}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "vk-id",
			want: named(unverified(ada("", "1234567890")), "", "https://sun9-1.userapi.com/ada.jpg"),
			id:   place{"user", "user.user_id"}, email: place{"user", "user.email"},
			authorize: "code_challenge=challenge-1&code_challenge_method=S256&scope=vkid.personal_info email", noSecret: true,
			exchange: "device_id=device-1&state=" + sha256Of(testCode),
			user:     "POST access_token=" + testAccess + "&client_id=client-1",
			errors: usual(
				documented{"token", 200, `{"error":"invalid_grant","error_description":"quoted","state":"state-1"}`, authcore.ErrProviderDenied},
				documented{"token", 200, `{"error":"invalid_request","error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"user", 200, `{"error":"invalid_token","error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"user", 200, `{"error":"server_error","error_description":"quoted"}`, authcore.ErrProviderFailed},
			),
		},
		{
			kind: "vk-oauth2",
			want: named(unverified(ada("", "210700286")), "ada", "https://sun9-1.userapi.com/ada.jpg"),
			id:   place{"user", "response.0.id"}, email: place{"token", "email"},
			authorize: "scope=email", plainCode: true, user: "GET fields=screen_name,photo_200&v=5.131 Bearer " + testAccess,
			errors: []documented{
				{"token", 401, `{"error":"invalid_grant","error_description":"Code is expired."}`, authcore.ErrProviderDenied},
				{"token", 401, `{"error":"invalid_client","error_description":"quoted"}`, authcore.ErrProviderFailed},
				{"user", 200, `{"error":{"error_code":5,"error_msg":"quoted","request_params":[]}}`, authcore.ErrProviderDenied},
				{"user", 200, `{"error":{"error_code":6,"error_msg":"Too many requests per second"}}`, authcore.ErrProviderFailed},
				{"user", 200, `{"response":[]}`, authcore.ErrProviderFailed},
			},
		},
		{
			kind: "yandex-oauth2",
			want: named(unverified(ada("", "1000034426")), "ada", "https://avatars.yandex.net/get-yapic/131652443/islands-200"),
			id:   place{"user", "id"}, email: place{"user", "default_email"},
			withoutEmail: func(s *script) { s.set(place{"user", "emails"}, []string{}) },
			authorize:    "code_challenge=challenge-1&code_challenge_method=S256", user: "GET format=json OAuth " + testAccess,
			errors: usual(
				documented{"token", 400, `{"error":"bad_verification_code","error_description":"quoted"}`, authcore.ErrProviderDenied},
				documented{"user", 401, ``, authcore.ErrProviderFailed},
			),
		},
	}
}

package apple

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Credentials of the operator.
const (
	ClientID = "com.example.web"
	TeamID   = "TEAM123456"
	KeyID    = "KEY1234567"

	issuer = "https://appleid.apple.com"
)

// Provider is a running provider. It logs in one person.
type Provider struct {
	// URL is the base of the endpoints.
	URL string
	// ReturnURL is the one that was registered.
	ReturnURL string

	secretKey *ecdsa.PrivateKey // signs client secrets; the operator has it
	signer    jose.Signer
	keys      jose.JSONWebKeySet

	mu     sync.Mutex
	codes  map[string]grant
	logins int
	faults []string
	// subject of the person, and what the earlier team of the app named them by.
	subject, transferSub string
}

// grant contains the data of a code.
type grant struct{ redirectURI, nonce string }

// Start starts a provider at a loopback address.
func Start(t testing.TB) *Provider {
	t.Helper()
	secretKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "a"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{
		secretKey: secretKey, signer: signer, subject: "001234.apple", codes: map[string]grant{},
		keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "a", Use: "sig", Algorithm: "RS256"}}},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth/authorize", p.authorize)
	mux.HandleFunc("POST /auth/token", p.token)
	mux.HandleFunc("GET /auth/keys", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, p.keys) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.URL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return p
}

// PrivateKey is the contents of the .p8 file.
func (p *Provider) PrivateKey(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.secretKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Transfer moves the app to another team: the person gets another subject and a
// transfer identifier.
func (p *Provider) Transfer(subject, transferSub string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subject, p.transferSub = subject, transferSub
}

// Faults returns the refusals of requests of the edge, for failure messages.
func (p *Provider) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// answer posts itself to the return URL (OAuth 2.0 Form Post Response Mode,
// section 2).
var answer = template.Must(template.New("answer").Parse(`<!doctype html>
<title>Apple</title>
<body onload="document.forms[0].submit()">
<form method="post" action="{{.To}}">
{{range $name, $value := .Fields}}<input type="hidden" name="{{$name}}" value="{{$value}}">
{{end}}</form>
`))

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	switch {
	case query.Get("client_id") != ClientID, query.Get("redirect_uri") != p.ReturnURL:
		p.refuse(w, "invalid_client")
		return
	case query.Get("response_mode") != "form_post" && query.Get("scope") != "":
		p.refuse(w, "response_mode must be form_post when name or email scope is requested")
		return
	}
	code := rand.Text()
	fields := map[string]string{"state": query.Get("state"), "code": code}
	p.mu.Lock()
	p.codes[code] = grant{query.Get("redirect_uri"), query.Get("nonce")}
	if p.logins++; p.logins == 1 {
		fields["user"] = `{"name":{"firstName":"Tim","lastName":"Appleby"},"email":"tim@example.com"}`
	}
	p.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = answer.Execute(w, map[string]any{"To": query.Get("redirect_uri"), "Fields": fields})
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	granted, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	switch {
	case !p.isSecret(r.PostFormValue("client_secret")) || r.PostFormValue("client_id") != ClientID:
		p.refuse(w, "invalid_client")
	case !known || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != granted.redirectURI:
		p.refuse(w, "invalid_grant")
	default:
		reply(w, http.StatusOK, map[string]any{
			"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 3600, "id_token": p.IDToken(ClientID, granted.nonce),
		})
	}
}

// IDToken returns a token as native apps get it.
func (p *Provider) IDToken(audience, nonce string) string {
	p.mu.Lock()
	subject, transferSub := p.subject, p.transferSub
	p.mu.Unlock()
	now := time.Now()
	claims := map[string]any{
		"iss": issuer, "aud": audience, "sub": subject, "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
		"nonce": nonce, "nonce_supported": true, "email": "tim@example.com", "email_verified": "true", "jti": rand.Text(),
	}
	if transferSub != "" {
		claims["transfer_sub"] = transferSub
	}
	raw, err := jwt.Signed(p.signer).Claims(claims).Serialize()
	if err != nil {
		panic(err)
	}
	return raw
}

// isSecret checks a client secret by the rules of Apple.
func (p *Provider) isSecret(raw string) bool {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || token.Headers[0].KeyID != KeyID {
		return false
	}
	var claims jwt.Claims
	if err := token.Claims(&p.secretKey.PublicKey, &claims); err != nil {
		return false
	}
	return claims.Validate(jwt.Expected{Issuer: TeamID, Subject: ClientID, AnyAudience: jwt.Audience{issuer}, Time: time.Now()}) == nil &&
		claims.Expiry != nil && claims.Expiry.Time().Before(time.Now().Add(11*time.Minute))
}

func (p *Provider) refuse(w http.ResponseWriter, fault string) {
	p.mu.Lock()
	p.faults = append(p.faults, fault)
	p.mu.Unlock()
	reply(w, http.StatusBadRequest, map[string]string{"error": fault})
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

package provider

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// recorded is one kind of provider as documented: its responses (the files in
// testdata/<kind>), the resulting profile, the expected requests, and the
// documented errors. Every test of this file runs for every row.
type recorded struct {
	kind string
	// mode distinguishes rows of one kind. Its responses are in
	// testdata/<kind>-<mode>.
	mode string
	// cfg is the configuration except client id and secret.
	cfg Config
	// emails is the URL of the document emails.json.
	emails string

	// The profile, and the paths of its members.
	want                authcore.Profile
	id, email, verified place
	// unverified are values of verified that do not count; by default all but true.
	unverified []any
	// withoutEmail removes the address from other places.
	withoutEmail func(*script)

	// The requests.
	authorize  string // the query of the authorize URL, without common parameters
	basic      bool   // otherwise client id and secret are in the form
	noSecret   bool   // no secret in either
	exchange   string // additional parameters of the token request
	plainCode  bool   // no code_verifier
	user       string // the user info request: method, query, Authorization; "" if not sent
	emailQuery string

	errors []documented
}

// place is the position of a value: a file and a path in it.
type place struct{ doc, path string }

// documented is an error that the provider's documentation lists.
type documented struct {
	doc    string // the response that it replaces
	status int
	body   string
	want   error
}

// absent is the value that removes a member.
var absent = new(struct{})

// script plays the row.
func (r *recorded) script(t *testing.T) *script {
	t.Helper()
	cfg := r.cfg
	cfg.Kind = r.kind
	if cfg.Name == "" {
		cfg.Name = r.kind
	}
	s := r.spec()
	docs := r.documents(t)
	at := cfg.endpoints(&s)
	if document, found := docs["discovery"].(map[string]any); found {
		at = endpoints{
			authorize: document["authorization_endpoint"].(string), token: document["token_endpoint"].(string),
			userInfo: document["userinfo_endpoint"].(string), jwks: document["jwks_uri"].(string),
		}
	}
	if cfg.TrustAddresses == nil {
		cfg.TrustAddresses = []string{"*"}
	}
	if s.appTokens {
		cfg.IDTokenLogin = "on"
	}
	played := newScript(t, cfg, at)
	if s.noSecret {
		played.cfg.ClientSecret = ""
	}
	played.docs = docs
	if claims, found := docs["claims"].(map[string]any); found {
		issuer, _ := claims["iss"].(string)
		played.withIDTokens(issuer).claim(claims)
		if _, found := claims["at_hash"]; found {
			played.claims["at_hash"] = accessHash(testAccess)
		}
		if !s.nonce {
			delete(played.claims, "nonce")
		}
		docs["claims"] = played.claims
	}
	if s.appTokensOnly {
		played.answer(at.jwks, 200, publicKeys("kid-1", &testKeys().rsa.PublicKey))
	}
	if docs["discovery"] != nil {
		played.serve(strings.TrimSuffix(cfg.Issuer, "/")+"/.well-known/openid-configuration", "discovery")
	}
	if at.userInfo != "" {
		played.serve(at.userInfo, "user")
	}
	if r.emails != "" {
		played.serve(r.emails, "emails")
	}
	return played
}

// name is unique among all rows; it is the folder of the responses.
func (r *recorded) name() string {
	if r.mode == "" {
		return r.kind
	}
	return r.kind + "-" + r.mode
}

// spec returns the spec of the row.
func (r *recorded) spec() spec {
	s, _ := findSpec(r.kind)
	return s.asking(r.cfg.Scopes)
}

// documents reads the files of the row.
func (r *recorded) documents(t *testing.T) map[string]any {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", r.name(), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("reading the responses of %s failed: %v", r.name(), err)
	}
	docs := map[string]any{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("ReadFile() failed: %v", err)
		}
		text = bytes.ReplaceAll(text, []byte("{client_id}"), []byte(testID))
		text = bytes.ReplaceAll(text, []byte("{access_token}"), []byte(testAccess))
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var doc any
		if err := decoder.Decode(&doc); err != nil {
			t.Fatalf("decoding %s failed: %v", file, err)
		}
		docs[strings.TrimSuffix(filepath.Base(file), ".json")] = doc
	}
	return docs
}

// serve answers with a document in its state at the time of the request.
func (s *script) serve(address, doc string) {
	s.handle(address, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s.docs[doc])
	})
}

// set replaces the value at a place.
func (s *script) set(at place, value any) {
	s.t.Helper()
	names := strings.Split(at.path, ".")
	inner := s.docs[at.doc]
	for _, name := range names[:len(names)-1] {
		switch outer := inner.(type) {
		case map[string]any:
			inner = outer[name]
		case []any:
			i, _ := strconv.Atoi(name)
			inner = outer[i]
		}
	}
	object, ok := inner.(map[string]any)
	last := names[len(names)-1]
	if _, found := object[last]; !ok || !found {
		s.t.Fatalf("no value at %v", at)
	}
	if object[last] = value; value == absent {
		delete(object, last)
	}
}

// login redeems a code at the row's provider.
func (r *recorded) login(s *script) (authcore.Profile, error) {
	request := s.request()
	request.User = `{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"evil@example.com"}`
	return s.provider().Exchange(s.t.Context(), request)
}

func forEach(t *testing.T, test func(*testing.T, *recorded)) {
	t.Helper()
	for _, row := range rows() {
		t.Run(row.name(), func(t *testing.T) { test(t, &row) })
	}
}

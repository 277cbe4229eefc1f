package e2e

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/e2e/internal/frontend"
)

// attacker is a page that uses the JSON API by itself, with the authenticator of
// Chromium. It changes what it sends.
type attacker struct {
	*device
	site *site
}

// assertion is the JSON form of a response to request options.
type assertion struct {
	ID       string            `json:"id"`
	RawID    string            `json:"rawId"`
	Type     string            `json:"type"`
	Results  map[string]any    `json:"clientExtensionResults"`
	Response map[string]string `json:"response"`
}

// send sends a JSON body to the login API from the page.
func (p *attacker) send(path, token string, body any) answer {
	p.t.Helper()
	got, err := p.Eval(`async (address, token, body) => {
		const headers = {"Content-Type": "application/json"};
		if (token) headers.Authorization = "Token " + token;
		const answer = await fetch(address, { method: "POST", headers, body });
		return { status: answer.status, text: await answer.text() };
	}`, p.site.URL+"/v1/auth"+path, token, encode(p.t, body))
	if err != nil {
		p.t.Fatalf("POST %s from the page: %v", path, err)
	}
	return answer{status: got.Value.Get("status").Int(), body: got.Value.Get("text").Str()}
}

// options requests options and returns them in JSON.
func (p *attacker) options(path, token string) map[string]any {
	p.t.Helper()
	return p.send(path, token, map[string]any{}).must(p.t, http.StatusOK).object(p.t)
}

// register adds a passkey to the account of a login.
func (p *attacker) register(l login) {
	p.t.Helper()
	created, err := p.Eval(`async (options) => JSON.stringify(await navigator.credentials.create({
		publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
	}))`, p.options("/passkeys/registration/options/", l.token))
	if err != nil {
		p.t.Fatalf("navigator.credentials.create() = %v, want a credential", err)
	}
	p.send("/passkeys/registration/", l.token, map[string]any{"credential": json.RawMessage(created.Value.Str())}).must(p.t, http.StatusCreated)
}

// assert returns the response of the authenticator to request options.
func (p *attacker) assert(options map[string]any) assertion {
	p.t.Helper()
	got, err := p.Eval(`async (options) => JSON.stringify(await navigator.credentials.get({
		publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
	}))`, options)
	if err != nil {
		p.t.Fatalf("navigator.credentials.get(%v) = %v, want an assertion", options, err)
	}
	var made assertion
	if err := json.Unmarshal([]byte(got.Value.Str()), &made); err != nil {
		p.t.Fatal(err)
	}
	return made
}

// logIn sends an assertion.
func (p *attacker) logIn(made assertion) answer {
	p.t.Helper()
	return p.send("/passkeys/login/", "", map[string]any{"credential": made, "client_key": clientKey})
}

// altered returns the assertion with one part of its response replaced.
func (a assertion) altered(part, value string) assertion {
	a.Response = maps.Clone(a.Response)
	a.Response[part] = value
	return a
}

// changed returns the assertion with bytes of one part changed.
func (a assertion) changed(t *testing.T, part string, change func([]byte) []byte) assertion {
	t.Helper()
	return a.altered(part, base64.RawURLEncoding.EncodeToString(change(a.decoded(t, part))))
}

// decoded returns one part of the response.
func (a assertion) decoded(t *testing.T, part string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(a.Response[part])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// flipped returns a function that changes one bit, counted from the end if negative.
func flipped(at int) func([]byte) []byte {
	return func(data []byte) []byte {
		data[(at+len(data))%len(data)] ^= 1
		return data
	}
}

// TestPasskeyAttacks changes, replays and misuses real assertions in Chromium. Each is
// refused, and none opens a session.
func TestPasskeyAttacks(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	pages, stranger := frontend.Start(t, clientSources), frontend.Start(t, clientSources)
	for _, one := range []*frontend.Site{pages, stranger} {
		one.Configure(frontend.Config{})
	}
	s := newSite(t, caddyfile{
		Client: []string{"origin " + pages.Origin}, EmailLink: pages.LinkTemplate(),
		Realm: slices.Concat(noLimits, []string{"insecure_debug_links", "passkeys optional", "notices off"}),
	})
	const page = "/config.js" // a document that sends nothing by itself
	open := func() *attacker {
		return &attacker{newDevice(openTab(t, browser, pages.Origin+page)), s}
	}
	ann, eve := open(), open()
	owner, other := s.logIn(t, "ann@example.com"), s.logIn(t, "eve@example.com")
	ann.register(owner)
	eve.register(other)
	fresh := func(p *attacker) map[string]any { return p.options("/passkeys/login/options/", "") }
	sessions := func() int {
		var list []any
		text := s.get(t, "/v1/auth/sessions/", owner.token).must(t, http.StatusOK).body
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatalf("GET /sessions/ = %s, want a list", text)
		}
		return len(list)
	}
	victim := ann.assert(fresh(ann)) // of a login that ann does not finish
	if sessions() != 1 {
		t.Fatalf("sessions = %d, want 1", sessions())
	}
	foreign := func() assertion { // made by ann's authenticator on a page of another origin
		options := fresh(ann)
		ann.visit(stranger.Origin + page)
		made := ann.assert(options)
		if data := made.decoded(t, "clientDataJSON"); !strings.Contains(string(data), stranger.Origin) {
			t.Errorf("client data = %s, want the origin %s", data, stranger.Origin)
		}
		ann.visit(pages.Origin + page)
		return made
	}

	const userVerified = 0x04 // of the flags, byte 32 of the authenticator data
	unverified := func() assertion {
		ann.verified(false)
		defer ann.verified(true)
		options := fresh(ann)
		options["userVerification"] = "discouraged"
		made := ann.assert(options)
		if flags := made.decoded(t, "authenticatorData")[32]; flags&userVerified != 0 {
			t.Errorf("flags = %#x, want no user verification", flags)
		}
		return made
	}

	const invalid, unknown = "invalid_passkey", "unknown_passkey"
	for _, attack := range []struct {
		name, code string
		make       func() assertion
	}{
		{"changed signature", invalid, func() assertion { return ann.assert(fresh(ann)).changed(t, "signature", flipped(-1)) }},
		{"changed sign count", invalid, func() assertion { return ann.assert(fresh(ann)).changed(t, "authenticatorData", flipped(-1)) }},
		{"changed domain", invalid, func() assertion { return ann.assert(fresh(ann)).changed(t, "authenticatorData", flipped(0)) }},
		{"data after the authenticator data", invalid, func() assertion {
			return ann.assert(fresh(ann)).changed(t, "authenticatorData", func(data []byte) []byte { return append(data, 0) })
		}},
		{"client data of another login", invalid, func() assertion {
			return ann.assert(fresh(ann)).altered("clientDataJSON", ann.assert(fresh(ann)).Response["clientDataJSON"])
		}},
		{"challenge of the page", invalid, func() assertion {
			options := fresh(ann)
			options["challenge"] = base64.RawURLEncoding.EncodeToString(make([]byte, 60))
			return ann.assert(options)
		}},
		{"challenge of a registration", invalid, func() assertion {
			options := fresh(ann)
			options["challenge"] = ann.options("/passkeys/registration/options/", owner.token)["challenge"]
			return ann.assert(options)
		}},
		{"no user verification", invalid, unverified},
		{"claimed user verification", invalid, func() assertion {
			return unverified().changed(t, "authenticatorData", func(data []byte) []byte { data[32] |= userVerified; return data })
		}},
		{"own signature for the passkey of another user", invalid, func() assertion {
			made := eve.assert(fresh(eve)).altered("userHandle", victim.Response["userHandle"])
			made.ID, made.RawID = victim.ID, victim.RawID
			return made
		}},
		{"own passkey with the handle of another user", invalid, func() assertion {
			return eve.assert(fresh(eve)).altered("userHandle", victim.Response["userHandle"])
		}},
		{"unknown credential", unknown, func() assertion {
			made := ann.assert(fresh(ann))
			made.ID = base64.RawURLEncoding.EncodeToString(make([]byte, 32))
			made.RawID = made.ID
			return made
		}},
		{"page of another origin", invalid, foreign},
		{"page of another origin that claims the right one", invalid, func() assertion {
			return foreign().altered("clientDataJSON", ann.assert(fresh(ann)).Response["clientDataJSON"])
		}},
	} {
		t.Run(attack.name, func(t *testing.T) {
			ann.logIn(attack.make()).refused(t, http.StatusBadRequest, attack.code)
			if got := sessions(); got != 1 {
				t.Errorf("sessions after the attack = %d, want 1", got)
			}
		})
	}
	t.Run("replay", func(t *testing.T) {
		if got := s.loggedIn(t, ann.logIn(victim)); got.id != owner.id {
			t.Errorf("POST /passkeys/login/ = user %s, want %s", got.id, owner.id)
		}
		for _, p := range []*attacker{ann, eve} { // in the same browser and in another one
			p.logIn(victim).refused(t, http.StatusBadRequest, invalid)
		}
		if got := sessions(); got != 2 {
			t.Errorf("sessions after the replay = %d, want 2", got)
		}
	})
	t.Run("change of the domain", func(t *testing.T) { // an accident rather than an attack
		s.config.Client = []string{"origin http://other.localhost"}
		s.config.EmailLink = "http://other.localhost/{token}"
		s.Configure(t, s.config.render(s.Edge))
		if err := s.Reload(t); err == nil || !strings.Contains(err.Error(), "users have passkeys for localhost") {
			t.Errorf("reload with another domain = %v, want it to be refused", err)
		}
		s.loggedIn(t, ann.logIn(ann.assert(fresh(ann))))
	})
}

// intercept is a script of an attacker in the login page. It replaces the signature of
// the first assertion, and keeps the assertion. Later ones are neither requested nor sent.
const intercept = `
const get = navigator.credentials.get.bind(navigator.credentials);
navigator.credentials.get = async (options) => {
	if (sessionStorage.attacks) return new Promise(() => {});
	const made = (await get(options)).toJSON();
	sessionStorage.attacks = JSON.stringify(made);
	made.response.signature = made.response.signature.slice(0, -8) + "AAAAAAAA";
	return { toJSON: () => made };
};`

// TestPasskeyPageAttacks sends changed and replayed assertions with the form of the login
// page.
func TestPasskeyPageAttacks(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s := newPageSite(t, "passkeys optional")
	const email = "ann@example.com"
	d := newDevice(openTab(t, browser, "about:blank"))
	d.openLink(s, "/", email)
	d.visit(s.URL + "/auth/account")
	d.submit("form[data-passkey] button")
	d.signOut(s)

	remove, err := d.EvalOnNewDocument(intercept)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		d.visit(s.URL + "/deep")
		d.await("the login page after "+what, `() => document.querySelector("#email") !== null`)
	}
	d.visit(s.URL + "/deep")
	d.await("the error", `() => document.querySelector("[role=alert]") !== null`)
	refused("a changed assertion")

	// The assertion itself has not been accepted yet, so that it is once.
	send := func() int {
		t.Helper()
		got, err := d.Eval(`async () => (await fetch("/auth/passkey", {
			method: "POST", body: new URLSearchParams({ credential: sessionStorage.attacks, return_to: "/" }), redirect: "manual",
		})).status`)
		if err != nil {
			t.Fatalf("POST /auth/passkey from the page: %v", err)
		}
		return got.Value.Int()
	}
	if got := send(); got != 0 { // a redirect, which the page cannot read
		t.Fatalf("POST /auth/passkey = %d, want a redirect", got)
	}
	d.visit(s.URL + "/deep")
	d.mustBe(email, "/deep")
	d.signOut(s)
	refused("signing out")
	if got := send(); got != http.StatusBadRequest {
		t.Errorf("POST /auth/passkey with a used assertion = %d, want 400", got)
	}
	refused("a replayed assertion")

	if err := remove(); err != nil {
		t.Fatal(err)
	}
	d.visit(s.URL + "/deep")
	d.mustBe(email, "/deep") // the passkey still works
}

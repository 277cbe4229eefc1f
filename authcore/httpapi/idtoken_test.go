package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/realm"
)

func TestLoginByIDToken(t *testing.T) {
	w := newWorld(t, func(cfg *realm.Config) {
		cfg.Providers = append(cfg.Providers, openIDProvider{&fakeProvider{name: "apple-id"}})
	})
	key := `"client_key":"` + webKey + `"`
	const (
		path     = "/social/login/apple-id/"
		mismatch = `{"detail":"The provider's response does not belong to this login. Please try again.","code":"provider_mismatch"}`
		used     = `{"detail":"This ID token was used already. Please try again.","code":"id_token_used"}`
	)
	var login struct {
		ID    string
		First string `json:"first_name"`
	}
	r := w.post(path, `{"id_token":"good.1.s","nonce":"n","user":"Ada",`+key+`}`)
	r.decode(t, &login)
	if r.StatusCode != http.StatusOK || login.First != "Ada" {
		t.Errorf("got %d %s", r.StatusCode, r.body)
	}
	if r := w.post("/social/login/", `{"provider":"apple-id","id_token":"good.2.s","nonce":"n2","redirect_uri":"https://not.on/the/list","state":"ea.x",`+key+`}`); r.StatusCode != http.StatusOK {
		t.Errorf("fields of a code login are ignored: %d %s", r.StatusCode, r.body)
	}
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{path, `{"id_token":"good.1.s","nonce":"n",` + key + `}`, 400, used},
		{path, `{"id_token":"good.1.other","nonce":"n",` + key + `}`, 400, used},
		{path, `{"id_token":"good.5.s","nonce":"n",` + key + `}`, 400, used},
		{path, `{"id_token":"good.3.s",` + key + `}`, 400, mismatch},
		{path, `{"id_token":"good.3.s","nonce":"m",` + key + `}`, 400, mismatch},
		{path, `{"id_token":"bad.3.s","nonce":"n",` + key + `}`, 400, mismatch},
		{path, `{"id_token":"good.3.s","code":"c",` + key + `}`, 400, `{"code":["Not together with id_token."]}`},
		{path, `{"id_token":"","nonce":"n",` + key + `}`, 400, `{"id_token":["This field may not be blank."]}`},
		{path, `{"id_token":null,` + key + `}`, 400, `{"id_token":["This field may not be null."]}`},
		{path, `{"id_token":{},` + key + `}`, 400, `{"id_token":["Not a valid string."]}`},
		{path, `{"id_token":"good.3.s","user":{},"nonce":"n",` + key + `}`, 400, `{"user":["Not a valid string."]}`},
		{path, `{"nonce":"n",` + key + `}`, 400, `{"code":["This field is required."]}`},
		{path, `{"id_token":"good.3.s","nonce":"n","client_key":"x"}`, 400, `{"client_key":["Invalid client key."]}`},
		{path, `{"id_token":"good.3.s","nonce":"n","link":true,` + key + `}`, 401, `{"detail":"Authentication credentials were not provided."}`},
		{"/social/login/github/", `{"id_token":"good.3.s","nonce":"n",` + key + `}`, 400, `{"detail":"This provider gives no ID tokens to applications. Send a code.","code":"id_token_unsupported"}`},
		{"/social/login/unknown/", `{"id_token":"good.3.s","nonce":"n",` + key + `}`, 404, `{"detail":"Not found."}`},
	} {
		w.post(c.path, c.body).expect(t, c.status, c.want)
	}
	// Clients that send a user of their own in addition to a code keep working.
	if r := w.post("/social/login/github/", `{"code":"good-code","user":{"a":1},`+key+`}`); r.StatusCode != http.StatusOK {
		t.Errorf("got %d %s", r.StatusCode, r.body)
	}
	grace := w.login("grace@example.com")
	const notOurs = `{"detail":"This sign-in has expired or was started elsewhere. Please try again.","code":"invalid_state"}`
	w.post(path, `{"id_token":"good.4.s","nonce":"n4","link":true,`+key+`}`, grace.authorization()...).expect(t, 400, notOurs)
	w.post(path, `{"id_token":"good.4.s","nonce":"n4","link":true,"state":"`+w.beginLink("apple-id", grace)+`",`+key+`}`, grace.authorization()...).
		expect(t, 409, `{"detail":"This login already belongs to another account.","code":"identity_taken"}`)
}

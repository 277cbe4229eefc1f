package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

// fuzzBody parses a body and checks the guarantees for endpoints: a field is clean
// text, and a failure is a 4xx.
func fuzzBody(t *testing.T, contentType, content string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(content))
	r.Header.Set("Content-Type", contentType)
	from, err := (&request{Request: r, w: httptest.NewRecorder()}).body()
	var in input
	if err == nil {
		in, err = read(from, email(), required("token"), field{name: "a", alias: "b", mayBeBlank: true}, flag("link"))
	}
	if err != nil {
		checkFault(t, err)
	}
	for name, text := range in {
		if !utf8.ValidString(text) || strings.ContainsAny(authcore.Trim(text), "\x00\r\n") {
			t.Errorf("%s is %q", name, text)
		}
	}
	if in != nil && (strings.TrimSpace(in["token"]) == "" || len(in["email"]) > 1<<10) {
		t.Errorf("token %q, email %q", in["token"], in["email"])
	}
	if value, found := in["link"]; found && value != "true" && value != "false" {
		t.Errorf("link is %q", value)
	}
}

func checkFault(t *testing.T, err error) {
	t.Helper()
	if plain, ok := errors.AsType[*plainError](err); ok {
		if plain.status != http.StatusBadRequest && plain.status != http.StatusUnsupportedMediaType {
			t.Errorf("status %d", plain.status)
		}
		return
	}
	if public, ok := errors.AsType[*authcore.Error](err); !ok || public.Status/100 != 4 {
		t.Errorf("error %v", err)
	}
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `null`, `{"email":"a@example.com","token":"t","link":true}`, `{"token":1e9,"email":"x","a":"\ud83d\ude00"}`,
		`{"token":"\ud83d"}`, `{"token":"\\ud83d\u0000"}`, `{"a":{"a":[1,{"a":null}]},"a":"x"}`, "{\"token\":\"\xff\"}", `{"token":"x"}{}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) { fuzzBody(t, "application/json", content) })
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{``, `email=a%40example.com&token=t&link=1`, `token=%ff&email=%00`, `a=%zz`, `a;b`, `token=1&token=`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) { fuzzBody(t, "application/x-www-form-urlencoded", content) })
}

func FuzzMultipart(f *testing.F) {
	const part = "--X\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nt\r\n"
	for _, seed := range []string{``, part, part + "--X--", part + "--X--\r\n", "--X", "--X--", strings.Replace(part, "name", "filename", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) { fuzzBody(t, "multipart/form-data; boundary=X", content) })
}

func FuzzContentType(f *testing.F) {
	for _, seed := range []string{"", "application/json", `application/json; charset="utf-8"`, "text/plain;;", "multipart/form-data; boundary=\"\x00\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, contentType string) { fuzzBody(t, contentType, `{"token":"t","email":"e"}`) })
}

// FuzzRoute compares the router with an upstream that resolves the path: an owned
// path stays below the prefix, and no other path is served.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{
		"/v1/auth", "/v1/auth/user/", "/v1/auth/../x", "/x/../v1/auth/user", "//v1/auth", "/v1/auth/sessions/%2e", "*", "", "/v1/auth/social/login/{provider}", "/v1/auth/verify/../x", "/v1/auth/by-link%2flink",
	} {
		f.Add(seed)
	}
	h := New(Options{})
	f.Fuzz(func(t *testing.T, urlPath string) {
		clean := path.Clean("/" + urlPath)
		want := h.isVerify(urlPath) || clean == "/v1/auth" || strings.HasPrefix(clean, "/v1/auth/")
		if got := h.Owns(urlPath); got != want {
			t.Errorf("Owns(%q) = %t", urlPath, got)
		}
		matched, param := h.find((&url.URL{Path: urlPath}).EscapedPath(), urlPath)
		if !matched.isServed() || matched.anyMethod != nil {
			return
		}
		served := strings.Replace(matched.pattern, "{provider}", param, 1)
		served = strings.Replace(served, "{id}", param, 1)
		if strings.Contains(param, "/") || !want || served != strings.TrimPrefix(clean, "/v1/auth") {
			t.Errorf("%q is served as %s with %q", urlPath, matched.pattern, param)
		}
	})
}

package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func TestFields(t *testing.T) {
	const (
		isRequired = `["This field is required."]`
		isBlank    = `["This field may not be blank."]`
		isNull     = `["This field may not be null."]`
		isNoString = `["Not a valid string."]`
		isNoCode   = `{"code":["Enter the six digits of the code."]}`
		isNoEmail  = `{"email":["Enter a valid email address."]}`
	)
	tests := []struct{ name, path, body, want string }{
		{"missing", "/by-link/link/", `{}`, `{"email":` + isRequired + `}`},
		{"empty body", "/by-link/link/", ``, `{"email":` + isRequired + `}`},
		{"empty", "/by-link/link/", `{"email":""}`, `{"email":` + isBlank + `}`},
		{"blank", "/by-link/link/", `{"email":" \t\u2003"}`, `{"email":` + isBlank + `}`},
		{"null", "/by-link/link/", `{"email":null}`, `{"email":` + isNull + `}`},
		{"true", "/by-link/link/", `{"email":true}`, `{"email":` + isNoString + `}`},
		{"false", "/by-link/link/", `{"email":false}`, `{"email":` + isNoString + `}`},
		{"object", "/by-link/link/", `{"email":{"a":"b"}}`, `{"email":` + isNoString + `}`},
		{"array", "/by-link/link/", `{"email":["ada@example.com"]}`, `{"email":` + isNoString + `}`},
		{"number", "/by-link/link/", `{"email":17}`, isNoEmail},
		{"no address", "/by-link/link/", `{"email":"ada"}`, isNoEmail},
		{"two addresses", "/by-link/link/", `{"email":"a@example.com,b@example.com"}`, isNoEmail},
		{"optional null", "/by-link/link/", `{"email":"ada@example.com","client_key":null}`, `{"client_key":` + isNull + `}`},
		{"optional array", "/by-link/link/", `{"email":"ada@example.com","locale":[]}`, `{"locale":` + isNoString + `}`},
		{"all at once", "/by-link/login/", `{"client_key":[]}`, `{"client_key":` + isNoString + `,"token":` + isRequired + `}`},
		{"no token", "/by-link/login/", `{}`, `{"client_key":` + isRequired + `,"token":` + isRequired + `}`},
		{"faulty token decides", "/by-link/login/", `{"token":null,"email":"a@example.com","code":"1","client_key":"x"}`, `{"token":` + isNull + `}`},
		{"code without request", "/by-link/login/", `{"code":"123456","client_key":"x"}`, `{"request_id":` + isRequired + `}`},
		{"request without code", "/by-link/login/", `{"request_id":"r","client_key":"x"}`, `{"code":` + isRequired + `}`},
		{"email without code", "/by-link/login/", `{"email":[],"client_key":"x"}`, `{"code":` + isRequired + `,"request_id":` + isRequired + `}`},
		{"code of blanks", "/by-link/login/", `{"request_id":"r","code":"\u200b\u00a0","client_key":"x"}`, `{"code":` + isBlank + `}`},
		{"text that is not a code", "/by-link/login/", `{"request_id":"r","code":"12345","client_key":"` + webKey + `"}`, isNoCode},
		{"number that is not a code", "/by-link/login/", `{"request_id":"r","code":1e5,"client_key":"` + webKey + `"}`, isNoCode},
		{"long number", "/by-link/login/", `{"request_id":"r","code":1234567,"client_key":"` + webKey + `"}`, isNoCode},
		{
			"social", "/social/login/", `{"code":" ","redirect_uri":{}}`,
			`{"client_key":` + isRequired + `,"code":` + isBlank + `,"provider":` + isRequired + `,"redirect_uri":` + isNoString + `}`,
		},
		{"NUL", "/by-link/link/", `{"email":"a\u0000@example.com"}`, `{"email":["Null characters are not allowed."]}`},
		{"line feed", "/by-link/link/", `{"email":"a@example.com\nBcc: b@example.com"}`, `{"email":["Control characters are not allowed."]}`},
		{"C1 control", "/by-link/login/", `{"token":"a\u0085b","client_key":"x"}`, `{"token":["Control characters are not allowed."]}`},
		{"high surrogate", "/by-link/login/", `{"token":"\ud83d","client_key":"x"}`, `{"token":` + isNoString + `}`},
		{"low surrogate", "/by-link/login/", `{"token":"\\\uDE00","client_key":"x"}`, `{"token":` + isNoString + `}`},
		{"high surrogate before another", "/by-link/login/", `{"token":"\ud83d\ud83d\ude00","client_key":"x"}`, `{"token":` + isNoString + `}`},
		{"high surrogate before text", "/by-link/login/", `{"token":"\ud83dabcdef","client_key":"x"}`, `{"token":` + isNoString + `}`},
		{"surrogate pair", "/by-link/login/", `{"token":"\ud83d\ude00","client_key":"x"}`, `{"client_key":["Invalid client key."]}`},
		{"escaped backslash before a u", "/by-link/login/", `{"token":"\\ud83d","client_key":"x"}`, `{"client_key":["Invalid client key."]}`},
		{"long address", "/by-link/link/", `{"email":"a@` + strings.Repeat("b", 2000) + `.com"}`, isNoEmail},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := w.post(test.path, test.body)
			r.expect(t, 400, test.want)
			r.expectHeader(t, "Content-Type", jsonType)
		})
	}
	if n := w.mails.count(); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestBodies(t *testing.T) {
	const (
		ok         = `{"email":"ada@example.com","expires_in":900,"request_id":"R"}`
		noObject   = `{"detail":"Expected a JSON object."}`
		noField    = `{"email":["This field is required."]}`
		noString   = `{"email":["Not a valid string."]}`
		badUTF8    = `{"detail":"JSON parse error - the text is not UTF-8."}`
		badPercent = `{"detail":"Form parse error - malformed encoding."}`
		multi      = "multipart/form-data; boundary=XX"
		part       = "--XX\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n"
	)
	syntax := func(at string) string { return `{"detail":"JSON parse error - invalid syntax at byte ` + at + `."}` }
	unsupported := func(media string) string {
		return `{"detail":"Unsupported media type \"` + media + `\" in request."}`
	}
	tests := []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"JSON", jsonType, `{"email":"ada@example.com"}`, 200, ok},
		{"charset", "application/json;charset=UTF-8", `{"email":"ada@example.com"}`, 200, ok},
		{"charset quoted", `Application/JSON; Charset="utf-8"`, `{"email":"ada@example.com"}`, 200, ok},
		{"charset of a part of UTF-8", "application/json; charset=US-ASCII", `{"email":"ada@example.com"}`, 200, ok},
		{"two charsets", "application/json;charset=utf-8;charset=utf-8", `{"email":"ada@example.com"}`, 200, ok},
		{"empty charset", "application/json; charset=", `{"email":"ada@example.com"}`, 200, ok},
		{"Latin charset", "application/json; charset=iso-8859-1", `{"email":"ada@example.com"}`, 415, unsupported("application/json; charset=iso-8859-1")},
		{"other parameters", "application/json; v=1", `{"email":"ada@example.com"}`, 200, ok},
		{"broken parameter", "application/json; v", `{"email":"ada@example.com"}`, 200, ok},
		{"further members", jsonType, `{"a":[{"b":null}],"email":"ada@example.com","c":"\ud800"}`, 200, ok},
		{"last one wins", jsonType, `{"email":null,"a":{"b":1,"b":[]},"email":"ada@example.com"}`, 200, ok},
		{"last one wins, faulty", jsonType, `{"email":"ada@example.com","email":true}`, 400, noString},
		{"another case is another name", jsonType, `{"Email":"ada@example.com"}`, 400, noField},
		{"escaped name", jsonType, `{"\u0065mail":"ada@example.com"}`, 200, ok},
		{"array", jsonType, `["ada@example.com"]`, 400, noObject},
		{"string", jsonType, `"ada@example.com"`, 400, noObject},
		{"number", jsonType, `17`, 400, noObject},
		{"null", jsonType, ` null`, 400, noObject},
		{"no JSON", jsonType, `email=ada@example.com`, 400, syntax("1")},
		{"cut off", jsonType, `{"email":"ada@exa`, 400, syntax("17")},
		{"blanks", jsonType, `  `, 400, syntax("2")},
		{"trailing data", jsonType, `{"email":"ada@example.com"}{}`, 400, syntax("28")},
		{"trailing comma", jsonType, `{"email":"ada@example.com",}`, 400, syntax("28")},
		{"comment", jsonType, `{/**/"email":"ada@example.com"}`, 400, syntax("2")},
		{"byte order mark", jsonType, "\ufeff{}", 400, syntax("1")},
		{"raw line feed", jsonType, "{\"email\":\"a\n\"}", 400, syntax("12")},
		{"raw NUL", jsonType, "{\"email\":\"a\x00\"}", 400, syntax("12")},
		{"not UTF-8", jsonType, "{\"email\":\"\xff\"}", 400, badUTF8},
		{"not UTF-8 elsewhere", jsonType, "{\"x\":\"\xff\",\"email\":\"ada@example.com\"}", 400, badUTF8},
		{"form", formType, "email=ada%40example.com&x=1", 200, ok},
		{"form, charset", formType + "; charset=utf8", "email=ada%40example.com", 200, ok},
		{"form, last one wins", formType, "email=&email=ada%40example.com", 200, ok},
		{"form, empty", formType, "", 400, noField},
		{"form, not UTF-8", formType, "email=%ff%40example.com", 400, noString},
		{"form, NUL", formType, "email=%00", 400, `{"email":["Null characters are not allowed."]}`},
		{"form, bad escape", formType, "email=%zz", 400, badPercent},
		{"form, semicolon", formType, "email=a;b", 400, badPercent},
		{"multipart", multi, part + "ada@example.com\r\n--XX--\r\n", 200, ok},
		{"multipart, last one wins", multi, part + "x\r\n" + part + "ada@example.com\r\n--XX--\r\n", 200, ok},
		{"multipart, empty", multi, "", 400, noField},
		{"multipart, a file is not a field", multi, strings.Replace(part, `"email"`, `"email"; filename="a.txt"`, 1) + "ada@example.com\r\n--XX--\r\n", 400, noField},
		{"multipart, no boundary", "multipart/form-data", "x", 400, `{"detail":"Multipart form parse error - no boundary."}`},
		{"multipart, no part", multi, "hello", 400, `{"detail":"Multipart form parse error - malformed part."}`},
		{"multipart, no end", multi, part + "ada@example.com", 400, `{"detail":"Multipart form parse error - a part has no end."}`},
		{"no type", "", `{"email":"ada@example.com"}`, 415, unsupported("")},
		{"no type, no body", "", "", 400, noField},
		{"text", "text/plain", "x", 415, unsupported("text/plain")},
		{"text, no body", "text/plain", "", 415, unsupported("text/plain")},
		{"other JSON", "application/vnd.api+json", "{}", 415, unsupported("application/vnd.api+json")},
		{"other charset", "application/json; charset=utf-16", "{}", 415, unsupported("application/json; charset=utf-16")},
		{"no media type", "/;;", "{}", 415, unsupported("/;;")},
	}
	w := newWorld(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w.advance(maxWindow)
			headers := []string{"Content-Type", test.contentType}
			if test.contentType == "" {
				headers = nil
			}
			w.call("POST", "/by-link/link/", test.body, headers...).masked().expect(t, test.status, test.want)
		})
	}
}

// maxWindow is longer than the window of every limit.
const maxWindow = 3600e9

// A number keeps the text as it was written.
func TestNumbersAreTexts(t *testing.T) {
	w := newWorld(t)
	token := w.login("ada@example.com").authorization()
	for number, want := range map[string]string{"17": "17", "1.0": "1.0", "-1e+400": "-1e+400", "123456789012345678901": "123456789012345678901"} {
		r := w.call("PATCH", "/user/", `{"first_name":`+number+`}`, append(token, "Content-Type", jsonType)...)
		if r.StatusCode != http.StatusOK || !strings.Contains(r.body, `"first_name":"`+want+`"`) {
			t.Errorf("%s: got %d %s", number, r.StatusCode, r.body)
		}
	}
}

func TestBodySize(t *testing.T) {
	w := newWorld(t)
	pad := func(n int) string {
		body := `{"email":"ada@example.com","x":"` // 32 bytes, and 2 at the end
		return body + strings.Repeat("x", n-len(body)-2) + `"}`
	}
	if r := w.post("/by-link/link/", pad(64<<10)); r.StatusCode != http.StatusOK {
		t.Errorf("64 KiB: got %d %s", r.StatusCode, r.body)
	}
	const tooLarge = `{"detail":"Request body is too large.","code":"body_too_large"}`
	w.post("/by-link/link/", pad(64<<10+1)).expect(t, http.StatusRequestEntityTooLarge, tooLarge)
	form := url.Values{"email": {strings.Repeat("x", 1<<20)}}.Encode()
	w.call("POST", "/by-link/link/", form, "Content-Type", formType).expect(t, 413, tooLarge)
}

package gate

import (
	"reflect"
	"strings"
	"testing"
)

func TestPageLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"": `<html lang="en">`, "xx": `<html lang="en">`, "de-AT,en;q=0.5": `<html lang="de">`, "en;q=0.4, pt;q=0.5": `<html lang="pt-BR">`,
		"fr;q=0, nl;q=0.1": `<html lang="nl">`, "de;q=nan, uk": `<html lang="uk">`, "ar": `<html lang="ar" dir="rtl">`,
		"zh-CN": `<html lang="zh-Hans">`, strings.Repeat("xx,", 100) + "de": `<html lang="en">`,
	} {
		texts := textsFor([]string{header})
		page := pageText(pageContent{language: texts.language, text: texts.role, roles: []string{"admin", "editor"}}, "/auth/account", "")
		if !strings.Contains(page, want) || !strings.Contains(page, "<b>admin</b>, <b>editor</b>") {
			t.Errorf("page for %.40q is %s, want %s and the roles", header, page, want)
		}
	}
}

// Every language has all texts, which need no escapes, and none is that of another one.
func TestPageTexts(t *testing.T) {
	known := map[string]string{}
	languages := strings.Fields(pageLanguages)
	for _, language := range languages {
		texts := reflect.ValueOf(textsFor([]string{language}))
		for i := range texts.NumField() {
			name, text := texts.Type().Field(i).Name, texts.Field(i).String()
			if text == "" || strings.ContainsAny(text, `<>&"`) {
				t.Errorf("%s in %s is %q, want a text without characters of HTML", name, language, text)
			}
			if other := known[name+text]; other != "" {
				t.Errorf("%s is %q in %s and in %s, want a translation", name, text, other, language)
			}
			known[name+text] = language
		}
	}
	if len(languages) != 14 {
		t.Errorf("the pages have %d languages, want 14", len(languages))
	}
}

// Every page for people is in the language of the browser.
func TestPagesInTheLanguageOfTheBrowser(t *testing.T) {
	german := textsFor([]string{"de"})
	v := newTestVerifier(t, testConfig())
	cookie := "__Host-edgeauth=" + testSigners()[EdDSA].sign(testClaims())
	for name, test := range map[string]struct {
		site   Site
		change func(r *Request)
		want   []string
	}{
		"form without a session": {change: func(r *Request) { r.Method = "POST" }, want: []string{german.ended, german.form, german.signIn}},
		"frame":                  {change: func(r *Request) { r.Header.Set("Sec-Fetch-Dest", "iframe") }, want: []string{german.signIn, german.frame}},
		"download":               {change: func(r *Request) { r.Header.Set("Sec-Fetch-Dest", "empty") }, want: []string{german.signIn, german.page}},
		"role": {
			Site{Policy: Policy{Require: []Requirement{{Field: "role", Values: []string{"admin"}}}}},
			func(r *Request) { r.Header.Set("Cookie", cookie) },
			[]string{german.noAccess, german.role, "<b>admin</b>", german.account},
		},
		"address": {
			Site{Policy: Policy{Require: []Requirement{{Field: "email", Values: []string{"other@example.com"}}}}},
			func(r *Request) { r.Header.Set("Cookie", cookie) },
			[]string{german.noAccess, german.forbidden, german.account},
		},
		"form of another site": {
			change: func(r *Request) {
				r.Method = "POST"
				r.Header.Set("Cookie", cookie)
				r.Header.Set("Origin", "https://evil.example")
			},
			want: []string{german.notAccepted, german.crossSite, german.account},
		},
	} {
		r := Request{
			Method: "GET", Path: "/", Now: testNow,
			Header: Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}, "Accept-Language": {"de-DE,en;q=0.5"}},
		}
		test.change(&r)
		test.site.Browser = testBrowser(t)
		decision := test.site.Decide(v, r, nil)
		for _, text := range append(test.want, `<html lang="de">`) {
			if !strings.Contains(decision.Body, text) {
				t.Errorf("%s: the page does not contain %q: %s", name, text, decision.Body)
			}
		}
	}
	site, r := Site{Browser: testBrowser(t)}, Request{
		Header: Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}, "Accept-Language": {"de"}},
	}
	unavailable := site.Unavailable(r, ErrStale)
	if !strings.Contains(unavailable.Body, german.again) || !strings.Contains(unavailable.Body, german.unavailable) {
		t.Errorf("the page about an outage is %s, want it in German", unavailable.Body)
	}
	r.Header["Sec-Fetch-Mode"] = []string{"cors"}
	for name, site := range map[string]Site{"a script": site, "a site without a login page": {}} {
		if got := site.Unavailable(r, ErrStale); got.Status != 503 || got.Body != BodyUnavailable {
			t.Errorf("the answer to %s during an outage is %d %s, want 503 %s", name, got.Status, got.Body, BodyUnavailable)
		}
	}
}

package e2e

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/applications"
)

// ordinary is an application with what ordinary applications have: pages, a form, a
// frame, an event stream, a WebSocket, an image.
func ordinary(t *testing.T) applications.Application {
	t.Helper()
	mux := http.NewServeMux()
	page := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!doctype html><title>Ordinary</title><h1>Ordinary</h1>"+body)
		}
	}
	mux.HandleFunc("GET /{$}", page(`<p id="inside">inside</p>`))
	mux.HandleFunc("GET /open/", page(`<iframe src="/"></iframe>`))
	mux.HandleFunc("GET /form", page(`<form method="post"><input name="note"><button>Save</button></form>`))
	mux.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		page(`<p id="note">`+r.PostFormValue("note")+`</p>`)(w, r)
	})
	mux.HandleFunc("GET /image.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`)
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("GET /socket", webSocket)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return applications.Application{Address: server.Listener.Addr().String()}
}

// attempts is a script that tries everything that is not a page, and returns what
// succeeded.
const attempts = `async (origin) => {
	const result = (open) => new Promise((done) => {
		setTimeout(() => done("timeout"), 45000)
		open(() => done("ok"), () => done("refused"))
	})
	const answer = await fetch("/")
	return {
		fetch: answer.status + " " + (answer.headers.get("X-Auth-Login") ?? ""),
		events: await result((ok, no) => { const s = new EventSource("/events"); s.onmessage = () => { s.close(); ok() }; s.onerror = () => { s.close(); no() } }),
		socket: await result((ok, no) => { const s = new WebSocket(location.origin.replace("http", "ws") + "/socket"); s.onopen = () => { s.close(); ok() }; s.onerror = no }),
		image: await result((ok, no) => { const i = new Image(); i.onload = ok; i.onerror = no; i.src = "/image.svg?" + Math.random() }),
		frame: document.querySelector("iframe").contentDocument.body.innerText.includes("inside") ? "ok" : document.querySelector("iframe").contentDocument.querySelector("a[target=_top]").getAttribute("href"),
	}
}`

func (p *protected) attempt(want map[string]string) {
	p.t.Helper()
	p.visit(p.URL + "/open/")
	p.await("the frame", `() => document.querySelector("iframe").contentDocument?.readyState === "complete" && document.querySelector("iframe").contentDocument.body.innerText !== ""`)
	value, err := p.Eval(attempts)
	if err != nil {
		p.t.Fatal(err)
	}
	for name, want := range want {
		if got := value.Value.Get(name).Str(); strings.TrimSpace(got) != want {
			p.t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

// another opens a tab of the same browser.
func (p *protected) another(path string) *protected {
	p.t.Helper()
	page, err := p.Browser().Page(proto.TargetCreateTarget{URL: p.URL + path})
	if err != nil {
		p.t.Fatal(err)
	}
	return &protected{p.site, &tab{page, p.t}, p.email}
}

// TestBrowserManners checks in Chromium what a person with a browser meets at a site with a
// login page, besides signing in.
func TestBrowserManners(t *testing.T) {
	t.Parallel()
	s := bareSite(t, caddyfile{})
	p := protect(t, s, ordinary(t), "/form?x=1", "public /open/*")
	signedOut := map[string]string{"fetch": "401 /auth/", "events": "refused", "socket": "refused", "image": "refused", "frame": "/auth/"}
	signedIn := map[string]string{"fetch": "200", "events": "ok", "socket": "ok", "image": "ok", "frame": "ok"}
	p.await("the login page", `() => location.pathname === "/auth/"`)
	p.attempt(signedOut)
	p.visit(p.URL + "/form?x=1")
	p.signIn()
	p.await("the form", `() => location.pathname + location.search === "/form?x=1"`)
	p.attempt(signedIn)

	t.Run("a form that lost its session", func(t *testing.T) {
		p.visit(p.URL + "/form")
		other := p.another("/auth/logout")
		other.click("main form button")
		other.await("the end of the session", `() => !document.querySelector("main form")`)
		p.write("input[name=note]", "kept")
		p.click("form button")
		p.await("the page about the session", `() => document.body.innerText.includes("Nothing was sent")`)
		p.photograph("lost-session")
		other.visit(p.URL + "/")
		other.write("#email", p.email)
		other.click("main form button")
		other.await("the sent page", `() => !!document.querySelector('main a[href*="/auth/link/"]')`)
		other.click(`main a[href*="/auth/link/"]`)
		other.await("the link page", `() => location.pathname.startsWith("/auth/link/") && !!document.querySelector("main form button")`)
		other.click("main form button")
		other.await("the application", `() => location.pathname === "/"`)
		p.front()
		if err := (proto.PageReload{}).Call(p.tab); err != nil {
			t.Fatal(err)
		}
		p.await("the form that the reload sent again", `() => document.getElementById("note")?.textContent === "kept"`)
	})

	t.Run("a cookie of the same name that verifies nothing", func(t *testing.T) {
		if err := p.SetCookies([]*proto.NetworkCookieParam{{Name: "edgeauth", Value: "x", URL: p.URL + "/form", Path: "/form"}}); err != nil {
			t.Fatal(err)
		}
		p.visit(p.URL + "/form")
		p.await("the form", `() => !!document.querySelector("input[name=note]")`)
	})

	t.Run("a page of another site", func(t *testing.T) {
		stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprintf(w, `<form method="post" action="%s/form"><input name="note" value="forged"><button>x</button></form>`, p.URL)
		}))
		t.Cleanup(stranger.Close)
		other := p.another("/")
		other.visit(stranger.URL)
		value, err := other.Eval(`(address) => new Promise((done) => {
			const socket = new WebSocket(address)
			socket.onopen = () => done("open")
			socket.onerror = () => done("refused")
		})`, strings.Replace(p.URL, "http", "ws", 1)+"/socket")
		if err != nil || value.Value.Str() != "refused" {
			t.Errorf("the WebSocket of another site is %v, %v, want refused", value, err)
		}
		other.click("form button")
		other.await("a refusal", `() => location.pathname === "/form" && !document.getElementById("note")`)
	})

	t.Run("signing out in another tab", func(t *testing.T) {
		p.visit(p.URL + "/open/")
		if _, err := p.Eval(`() => { globalThis.opened = globalThis.ended = false; const s = new EventSource("/events"); s.onmessage = () => { globalThis.opened = true }; s.onerror = () => { s.close(); globalThis.ended = true } }`); err != nil {
			t.Fatal(err)
		}
		p.await("the event stream", `() => globalThis.opened`)
		other := p.another("/auth/logout")
		began := time.Now()
		other.click("main form button")
		p.await("the end of the event stream", `() => globalThis.ended`)
		t.Logf("the event stream ended after %s", time.Since(began).Round(time.Millisecond))
		p.attempt(signedOut)
	})
}

// webSocket accepts a WebSocket and reads from it until it is closed (RFC 6455, section
// 4.2.2).
func webSocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		http.Error(w, "not a WebSocket", http.StatusBadRequest)
		return
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	connection, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	_, _ = fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	_, _ = io.Copy(io.Discard, buffered)
}

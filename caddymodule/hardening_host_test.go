package caddymodule

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The requester of a link chooses no part of it: a forged Host or forwarding
// header would mail the victim's secret to the attacker's site (CWE-640).
func TestHardeningLinkIgnoresTheHost(t *testing.T) {
	s := setup{Port: freePort(t), Realm: "insecure_debug_links\n storage memory"}
	// The site answers for every name here.
	load(t, strings.Replace(s.caddyfile(), "http://127.0.0.1:"+s.Port, "http://:"+s.Port, 1))
	_, connection := raw(t, s, strings.Join([]string{
		"POST /v1/auth/by-link/link/ HTTP/1.1", "Host: evil.example", "Connection: close",
		"X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "Forwarded: host=evil.example",
		"Origin: https://evil.example", "Referer: https://evil.example/",
		"Content-Type: application/x-www-form-urlencoded", "Content-Length: 19", "", "email=a@example.com",
	}, "\r\n"))
	body := answerOf(t, connection)
	if !strings.Contains(body, `"https://frontend.app/auth/link/`) || strings.Contains(body, "evil") {
		t.Errorf("the answer: %s", body)
	}
}

func answerOf(t *testing.T, reader *bufio.Reader) string {
	t.Helper()
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

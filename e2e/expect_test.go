package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A request that expects 100-continue is refused without its body: the answer comes
// before the client has sent it, with every header that its status demands (RFC 9110,
// section 10.1.1).
func TestExpectContinueIsRefusedWithoutBody(t *testing.T) {
	t.Parallel()
	s := newSite(t, caddyfile{Realm: debugLinks})
	for _, path := range []string{"/whoami", "/v1/auth/verify/"} {
		for _, authorization := range []string{"", "Authorization: Token x.y.z\r\n"} {
			connection, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = connection.Close() })
			if err := connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n%s\r\n", path, authorization)
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatalf("POST %s with Expect: no answer before the body: %v", path, err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusUnauthorized || response.Header.Get("WWW-Authenticate") != "Token" || !strings.Contains(string(body), `"detail"`) {
				t.Errorf("POST %s with Expect = %d %v %s, %v, want 401", path, response.StatusCode, response.Header, body, err)
			}
		}
	}
}

package main

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/edgeauth/edgeauth/authcore/gate"
	"github.com/edgeauth/edgeauth/bench/internal/load"
)

// The headers of a request in addition to Host and Authorization: those of a fetch()
// to the page's own site in Chromium, and those of a program.
const (
	browserHeaders = "Connection: keep-alive\r\nsec-ch-ua-platform: \"Linux\"\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Accept: application/json\r\nsec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n" +
		"Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nReferer: https://app.example.com/items\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
	programHeaders = "User-Agent: example/1.0\r\nAccept: application/json\r\nAccept-Language: en\r\n"
)

// subject is a row whose servers run.
type subject struct {
	row
	servers []*server
	clients *load.Clients
	// before and after surround the token in a request.
	before, after string
	list          []string
	// sent is the number of requests so far.
	sent int
}

// newSubject starts the servers of a row. Requests is the number of requests that are
// going to be sent.
func (b *bench) newSubject(r row, requests int) *subject {
	if r.tokens == nil {
		r.tokens = hot
	}
	r.status, r.algorithm = cmp.Or(r.status, http.StatusOK), cmp.Or(r.algorithm, gate.EdDSA)
	from := b.prepare(r.algorithm, max(r.revoked, 1), r.revoked > 0)
	inRow := *b
	inRow.environment = r.environment
	s := &subject{row: r, servers: r.start(&inRow, from), list: r.tokens(b, from, requests), after: "\r\n"}
	s.clients = b.dial(s.servers[0], cmp.Or(r.connections, connections))
	headers := browserHeaders
	if r.baseline == few {
		headers = programHeaders
	}
	s.before = "GET /api/items?page=1 HTTP/1.1\r\nHost: " + s.servers[0].address + "\r\n" + headers
	if s.list[0] != "" {
		if s.cookie {
			s.before += "Cookie: " + gate.CookieName(gate.CookieSession, true) + "="
		} else {
			s.before += "Authorization: Token "
		}
		s.after = "\r\n\r\n"
	}
	return s
}

// send sends the next requests of a row.
func (b *bench) send(s *subject, requests int) *load.Result {
	if s.once && s.sent+requests > len(s.list) {
		b.Fatalf("%s: no unused tokens are left", s.name)
	}
	result, err := s.clients.Run(b.Context(), requests, func(buffer []byte, i int) []byte {
		buffer = append(buffer, s.before...)
		buffer = append(buffer, s.list[(s.sent+i)%len(s.list)]...)
		return append(buffer, s.after...)
	}, func(_, status int, body []byte) error {
		if status != s.status {
			return fmt.Errorf("%s: status %d, want %d: %s", s.name, status, s.status, body)
		}
		return nil
	})
	b.check(err)
	s.sent += requests
	return result
}

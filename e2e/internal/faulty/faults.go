package faulty

import (
	"compress/gzip"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// fault spoils one answer.
type fault func(*Server, Stage, http.ResponseWriter, *http.Request)

// faults contains all ways to fail.
var faults = map[string]fault{
	"hang":      hang,
	"drip":      drip,
	"redirect":  redirect,
	"huge":      huge,
	"bomb":      bomb,
	"html":      text("text/html", "<!doctype html><title>Sign in</title><p>client_secret=oops"),
	"null":      text("application/json", "null"),
	"types":     types,
	"empty":     text("application/json", ""),
	"anonymous": anonymous,
	"dies":      dies,
	"500":       status(http.StatusInternalServerError),
	"404":       status(http.StatusNotFound),
}

// Faults lists the names of all ways to fail, sorted.
func Faults() []string { return slices.Sorted(maps.Keys(faults)) }

// Slow reports whether only the caller's timeout ends a fault.
func Slow(fault string) bool { return fault == "hang" || fault == "drip" }

// MakesSense reports whether a fault is possible at this stage.
func MakesSense(fault string, stage Stage) bool {
	return fault != "anonymous" || stage == Token
}

// hang accepts the request and does not answer.
func hang(s *Server, _ Stage, _ http.ResponseWriter, r *http.Request) {
	select {
	case <-s.closing:
	case <-r.Context().Done():
	}
}

// drip sends blanks, which JSON allows, forever.
func drip(s *Server, _ Stage, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-s.closing:
			return
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// redirect leads to another host, in the way that keeps method and body.
func redirect(s *Server, _ Stage, w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, s.elsewhere.URL+"/", http.StatusTemporaryRedirect)
}

// size of the answers that are too large.
const size = 10 << 20

// huge sends a JSON string of 10 MB.
func huge(_ *Server, _ Stage, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fill(w, size)
}

// bomb sends 100 MB that weigh 100 kB on the wire.
func bomb(_ *Server, _ Stage, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	fill(packed, 10*size)
	_ = packed.Close()
}

func fill(w interface{ Write([]byte) (int, error) }, n int) {
	if _, err := w.Write([]byte(`{"sub":"`)); err != nil {
		return
	}
	chunk := make([]byte, 64<<10)
	for i := range chunk {
		chunk[i] = 'a'
	}
	for sent := 0; sent < n; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
	_, _ = w.Write([]byte(`"}`))
}

func text(kind, body string) fault {
	return func(_ *Server, _ Stage, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(body))
	}
}

func status(code int) fault {
	return func(_ *Server, _ Stage, w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"detail":"internal host db-7 says no"}`, code)
	}
}

// types has the right members with values of other types.
func types(s *Server, stage Stage, w http.ResponseWriter, _ *http.Request) {
	answer(w, map[Stage]any{
		Discovery: map[string]any{"issuer": 5, "authorization_endpoint": []int{1}, "token_endpoint": true, "jwks_uri": map[string]any{}},
		Token:     map[string]any{"access_token": []int{1}, "token_type": 7, "id_token": map[string]any{}},
		Keys:      map[string]any{"keys": "none"},
		UserInfo:  map[string]any{"sub": []string{"4711"}, "email": map[string]any{"a": 1}},
	}[stage])
}

// anonymous signs a token without a subject.
func anonymous(s *Server, _ Stage, w http.ResponseWriter, r *http.Request) {
	s.grant(w, r, "")
}

// dies promises more than it sends before it ends the connection.
func dies(_ *Server, _ Stage, w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = buffered.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(1000) + "\r\n\r\n{\"access_token\":\"a")
	_ = buffered.Flush()
}

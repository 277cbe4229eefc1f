package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// answer is everything that a request is answered with.
type answer struct {
	status int
	// header is added to what every answer has.
	header http.Header
	// body is JSON unless the header has a Content-Type; nil for none.
	body []byte
}

// reply answers with a value.
func reply(status int, value any) (answer, error) {
	body, err := encode(value)
	if err != nil {
		return answer{}, fmt.Errorf("encode the answer: %w", err)
	}
	return answer{status: status, body: body}, nil
}

// encode writes JSON as it is: the answers are no part of an HTML page, and
// links in them stay readable.
func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// setCommonHeaders sets what every answer carries. Answers hold tokens and
// addresses, so nobody keeps them (RFC 9111, section 5.2.2.5), takes them for
// something to run, or tells a third party which page they belong to.
func setCommonHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
}

func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	// A failure means that the client is gone; there is nobody to tell.
	_, _ = w.Write(a.body)
}

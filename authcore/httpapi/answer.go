package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// answer is a response.
type answer struct {
	status int
	// header is set in addition to the headers of every answer.
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

// replyList answers with a list, or with the error of the call that made it.
func replyList[T, B any](list []T, err error, bodyOf func(T) B) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	bodies := make([]B, len(list))
	for i, one := range list {
		bodies[i] = bodyOf(one)
	}
	return reply(http.StatusOK, bodies)
}

// noContent answers without a body, or with the error of the call.
func noContent(err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// encode writes JSON without escapes for HTML: the answers are not part of a page,
// and links in them stay readable.
func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// setCommonHeaders sets the headers of every answer. Answers contain tokens and
// addresses: they must not be stored (RFC 9111, section 5.2.2.5), not be taken for
// a script, and not appear in a Referer.
func setCommonHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
}

func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range a.header {
		if name == "Vary" {
			header["Vary"] = append(header["Vary"], values...)
			continue
		}
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
	// A failure means that the client has disconnected.
	_, _ = w.Write(a.body)
}

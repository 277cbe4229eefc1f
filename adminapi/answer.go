package adminapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// Failure is the body of an error response.
type Failure struct {
	// Error is a sentence for people.
	Error string        `json:"error"`
	Code  authcore.Code `json:"code"`
}

// answerError reports a failure. Operators also read the cause.
func answerError(w http.ResponseWriter, err error) {
	public := authcore.Unavailable(err)
	failure := Failure{Error: public.Detail, Code: public.Code}
	if len(public.Fields) > 0 {
		failure.Error = fieldFaults(public.Fields)
	}
	if public.Err != nil {
		failure.Error += " Cause: " + public.Err.Error()
	}
	answer(w, public.Status, failure)
}

// fieldFaults returns a sentence for each fault of a field, after the name of the field.
func fieldFaults(fields map[string][]string) string {
	var sentences []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		for _, sentence := range fields[field] {
			sentences = append(sentences, field+": "+sentence)
		}
	}
	return strings.Join(sentences, " ")
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the connection may be gone
}

// plainErrors replaces the plain text of the router's errors.
type plainErrors struct {
	http.ResponseWriter
	done bool
}

// WriteHeader writes the whole response.
func (p *plainErrors) WriteHeader(status int) {
	p.done = true
	failure := Failure{Error: "There is no such path.", Code: authcore.CodeNotFound}
	if status == http.StatusMethodNotAllowed {
		failure = Failure{Error: "This path has other methods: " + p.Header().Get("Allow") + ".", Code: authcore.CodeInvalidRequest}
	}
	answer(p.ResponseWriter, status, failure)
}

// Write drops the router's text.
func (p *plainErrors) Write(text []byte) (int, error) {
	if !p.done {
		p.WriteHeader(http.StatusNotFound)
	}
	return len(text), nil
}

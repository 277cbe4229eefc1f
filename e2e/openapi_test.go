package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// randomRequests is the number of random requests unless the variable REQUESTS names
// another one. randomSeed makes them the same in each run without it.
const (
	randomRequests = 1500
	randomSeed     = 20260301
)

// random makes requests from the description.
type random struct {
	*rand.Rand
	d      *description
	values map[string][]any // valid values of members, by name
}

// oddValues are values of wrong types, lengths and characters.
var oddValues = []any{
	nil, "", " ", 0, -1, 1e300, true, []any{}, map[string]any{"a": 1}, "\x00", "\u202e", "\ufeff", "%00", strings.Repeat("x", 5000), "a@b", "'\"<>", "../..",
}

func (r *random) value(name string) any {
	if known := r.values[name]; len(known) > 0 && r.IntN(4) > 0 {
		return known[r.IntN(len(known))]
	}
	return oddValues[r.IntN(len(oddValues))]
}

// members makes an object for the schema of a request.
func (r *random) members(schema map[string]any) map[string]any {
	object := map[string]any{}
	names := slices.Collect(maps.Keys(asObject(schema["properties"])))
	for _, alternative := range asList(schema["anyOf"]) {
		names = append(names, slices.Collect(maps.Keys(asObject(asObject(alternative)["properties"])))...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if r.IntN(3) > 0 {
			object[name] = r.value(name)
		}
	}
	if r.IntN(6) == 0 {
		object["extra"] = r.value("extra")
	}
	return object
}

func asObject(value any) map[string]any { object, _ := value.(map[string]any); return object }

func asList(value any) []any { list, _ := value.([]any); return list }

// body makes a body of a random media type.
func (r *random) body(o operation) (mediaType, body string) {
	_, request := r.d.resolve(o.pointer + "/requestBody")
	content := asObject(request["content"])
	if len(content) == 0 || r.IntN(20) == 0 {
		return "", ""
	}
	kinds := slices.Sorted(maps.Keys(content))
	kind := kinds[r.IntN(len(kinds))]
	object := r.members(asObject(asObject(content[kind])["schema"]))
	switch pick := r.IntN(25); {
	case pick == 0:
		return "text/plain", "hello"
	case pick == 1:
		return jsonType, `{"client_key":`
	case pick == 2:
		return jsonType, `["client_key"]`
	case kind == formType:
		form := url.Values{}
		for name, value := range object {
			form.Add(name, fmt.Sprint(value))
		}
		return kind, form.Encode()
	case kind == "multipart/form-data":
		var text bytes.Buffer
		parts := multipart.NewWriter(&text)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			_ = parts.WriteField(name, fmt.Sprint(object[name])) // a buffer takes everything
		}
		_ = parts.Close()
		return parts.FormDataContentType(), text.String()
	default:
		encoded, _ := json.Marshal(object) // maps of plain values can be encoded
		return jsonType, string(encoded)
	}
}

// randomBudget returns the number of random requests and their seed. A number of the
// caller's comes with a new seed, which the log names; SEED repeats it.
func randomBudget(t *testing.T) (requests int, seed uint64) {
	t.Helper()
	text := os.Getenv("REQUESTS")
	if text == "" {
		return randomRequests, randomSeed
	}
	requests, err := strconv.Atoi(text)
	seed = rand.Uint64()
	if repeated := os.Getenv("SEED"); repeated != "" && err == nil {
		seed, err = strconv.ParseUint(repeated, 10, 64)
	}
	if err != nil {
		t.Fatalf("REQUESTS and SEED: %v", err)
	}
	t.Logf("REQUESTS=%d SEED=%d", requests, seed)
	return requests, seed
}

// TestDescription sends random requests to every operation of the API description.
// Status, media type, body and headers of each answer must be described.
func TestDescription(t *testing.T) {
	t.Parallel()
	d := readDescription(t)
	s := wireSite(t, "passkeys optional", "second_factor optional", "api_keys users")
	user := s.logIn(t, "ann@example.com")
	link := s.requestLink(t, "bob@example.com")
	requests, seed := randomBudget(t)
	r := &random{rand.New(rand.NewPCG(seed, 0)), d, map[string][]any{
		"email": {"ann@example.com", "new@example.com"}, "client_key": {clientKey, "narrow-key"}, "provider": {"idp", "hidden", "github"},
		"token": {link, unknownRequest}, "request_id": {unknownRequest}, "code": {"123456", 123456, "abc"},
		"redirect_uri": {redirectURI, "https://narrow.test/cb"}, "redirectUri": {redirectURI}, "link": {false, true},
		"state": {"mine", "ea.x"}, "locale": {"de", "xx"}, "everywhere": {false}, "first_name": {"Ann", "\u00c4nn"}, "last_name": {"Lee"},
		"id_token": {"a.b.c"}, "nonce": {"n"}, "iss": {"https://idp.example"}, "id": {unknownRequest, "x"}, "since": {"1"},
	}}
	operations := d.operations()
	statuses := map[string]bool{}
	for i := range requests {
		o := operations[i%len(operations)]
		if o.path == "/user/" && o.method == http.MethodDelete || o.path == "/logout/" {
			user = s.logIn(t, "ann@example.com")
		}
		got, sent := r.send(t, s, o, user.token)
		statuses[fmt.Sprint(o.method, " ", o.path, " ", got.status)] = true
		if err := d.check(o, got, sent); err != nil {
			t.Errorf("request %d: %s = %d %.300s: %v", i, sent, got.status, got.body, err)
		}
	}
	for _, o := range operations {
		expected := []int{200, 204, 303, 400}
		if strings.Contains(o.path, "{id}") || strings.HasPrefix(o.path, "/factors/") { // the user has none
			expected = append(expected, 404)
		}
		reached := slices.ContainsFunc(expected, func(status int) bool {
			return statuses[fmt.Sprint(o.method, " ", o.path, " ", status)]
		})
		if !reached {
			t.Errorf("%s %s was never answered with one of %v", o.method, o.path, expected)
		}
	}
}

// send sends one random request and returns the answer and a text about the request.
func (r *random) send(t *testing.T, s *site, o operation, token string) (answer, string) {
	t.Helper()
	path := o.path
	for _, name := range []string{"provider", "id"} {
		text := fmt.Sprint(r.value(name))
		if text == "" || strings.ContainsAny(text, "\x00/.") {
			text = "idp"
		}
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(text))
	}
	if r.IntN(2) == 0 {
		path = strings.TrimSuffix(path, "/")
	}
	query := url.Values{}
	for _, parameter := range asList(o.node["parameters"]) {
		if p := asObject(parameter); p["in"] == "query" && r.IntN(4) > 0 {
			name, _ := p["name"].(string)
			query.Set(name, fmt.Sprint(r.value(name)))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var headers []string
	switch r.IntN(6) {
	case 0:
	case 1:
		headers = append(headers, "Authorization", "Token x.y.z")
	case 2:
		headers = append(headers, "Authorization", "Bearer "+token)
	default:
		headers = append(headers, "Authorization", "Token "+token)
	}
	mediaType, body := r.body(o)
	got := s.do(t, o.method, "/v1/auth"+path, mediaType, body, headers...)
	return got, fmt.Sprintf("%s %s %q %.300q", o.method, path, mediaType, body)
}

// general are the statuses that the introduction of the description names for all
// operations.
func general(o operation) []int {
	statuses := []int{404, 405, 500, 503}
	if o.method == http.MethodPost {
		statuses = append(statuses, 403)
	}
	if o.node["requestBody"] != nil {
		statuses = append(statuses, 413, 415)
	}
	return statuses
}

// check compares an answer with the description of its status.
func (d *description) check(o operation, got answer, _ string) error {
	pointer := fmt.Sprintf("%s/responses/%d", o.pointer, got.status)
	pointer, response := d.resolve(pointer)
	content := asObject(response["content"])
	if response == nil {
		if !slices.Contains(general(o), got.status) {
			return fmt.Errorf("the status is not described")
		}
		pointer, content = "#", map[string]any{jsonType: nil}
	}
	for name, header := range asObject(response["headers"]) {
		value := got.header.Get(name)
		if _, sent := got.header[http.CanonicalHeaderKey(name)]; !sent {
			return fmt.Errorf("the header %s is missing", name)
		}
		schema := asObject(asObject(header)["schema"])
		if schema["type"] == "string" {
			if err := d.validate(pointer+"/headers/"+escapePointer(name)+"/schema", value); err != nil {
				return err
			}
		}
	}
	mediaType, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	if len(content) == 0 {
		if got.body != "" {
			return fmt.Errorf("a body of type %q is not described", mediaType)
		}
		return nil
	}
	if _, described := content[mediaType]; !described {
		return fmt.Errorf("the media type %q is not described", mediaType)
	}
	if mediaType != jsonType {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err != nil {
		return err
	}
	if response == nil {
		return d.validate("#/components/schemas/Failure", value)
	}
	return d.validate(pointer+"/content/"+escapePointer(mediaType)+"/schema", value)
}

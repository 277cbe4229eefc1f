package gate

import (
	"reflect"
	"testing"
)

// Every answer has the fields that its status demands (RFC 9110, sections 10.2.3,
// 11.6.1 and 15.5.2), and no cache keeps it. Pages of an accepted origin can read
// it.
func TestAnswer(t *testing.T) {
	request := Request{Method: "OPTIONS", Header: Header{
		"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"PUT"}, "Access-Control-Request-Headers": {"authorization"},
	}}
	preflight, ok := request.Preflight(func(string) bool { return true })
	if !ok {
		t.Fatal("Preflight did not answer a preflight")
	}
	readable := refuse(ErrExpired)
	readable.Origin = "https://a.example"
	for _, test := range []struct {
		decision Decision
		demanded Header
		body     bool
	}{
		{refuse(ErrExpired), Header{"Www-Authenticate": {"Token"}, "Cache-Control": {"no-store"}}, true},
		{refuse(ErrForbidden), Header{"Cache-Control": {"no-store"}}, true},
		{refuse(ErrStale), Header{"Retry-After": {"5"}, "Cache-Control": {"no-store"}}, true},
		{Unavailable(nil), Header{"Retry-After": {"5"}, "Cache-Control": {"no-store"}}, true},
		{readable, Header{
			"Www-Authenticate": {"Token"}, "Cache-Control": {"no-store"}, "Vary": {"Origin"},
			"Access-Control-Allow-Origin": {"https://a.example"}, "Access-Control-Expose-Headers": {"Retry-After, WWW-Authenticate"},
		}, true},
		{preflight, Header{
			"Vary":                         {"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"},
			"Access-Control-Allow-Origin":  {"https://a.example"},
			"Access-Control-Allow-Methods": {"GET, HEAD, POST, PUT, PATCH, DELETE"},
			"Access-Control-Allow-Headers": {"authorization"}, "Access-Control-Max-Age": {"600"},
		}, false},
	} {
		got := Header{}
		test.decision.Demand(got)
		if !reflect.DeepEqual(got, test.demanded) {
			t.Errorf("Demand of %d %s wrote %v, want %v", test.decision.Status, test.decision.Reason, got, test.demanded)
		}
		got = Header{"Content-Type": {"text/html"}}
		if test.decision.Answer(got); test.body != (got["Content-Type"][0] == "application/json") {
			t.Errorf("Answer of %d wrote Content-Type %q", test.decision.Status, got["Content-Type"])
		}
	}
}

// What the upstream decided about CORS itself stays (Fetch standard, section 3.3).
func TestAllowOrigin(t *testing.T) {
	d := Decision{Origin: "https://a.example"}
	own := Header{"Access-Control-Allow-Origin": {"*"}}
	d.AllowOrigin(own)
	if !reflect.DeepEqual(own, Header{"Access-Control-Allow-Origin": {"*"}}) {
		t.Errorf("AllowOrigin changed the upstream's header to %v", own)
	}
	varies := Header{"Vary": {"Origin"}}
	d.AllowOrigin(varies)
	d.AllowOrigin(varies)
	if len(varies["Vary"]) != 1 || varies["Access-Control-Allow-Origin"] == nil {
		t.Errorf("AllowOrigin twice wrote %v, want one Vary", varies)
	}
	anonymous, none := Header{}, Decision{}
	none.AllowOrigin(anonymous)
	if len(anonymous) != 0 {
		t.Errorf("AllowOrigin without an origin wrote %v, want nothing", anonymous)
	}
}

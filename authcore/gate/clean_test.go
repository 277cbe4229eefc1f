package gate

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// A client forges the identity that the upstream trusts: in any case, several
// times, and in spellings that some servers read as the same name (CWE-290,
// CWE-348).
func TestCleanRemovesForgedIdentity(t *testing.T) {
	h := Header{
		"X-Auth-User-Id": {"root", "root"}, "x-auth-email": {"root@example.com"}, "X_Auth_User_Id": {"root"}, "X.auth.name": {"root"},
		"X-AUTH-ASSERTION": {"x"}, " X-Auth-Method ": {"x"},
		"Authorization": {"Basic YTpi"}, "Cookie": {"a=b"}, "X-Auth-Token": {"application's own"}, "Connection": {"keep-alive"},
		"Upgrade": {"websocket"},
	}
	want := Header{
		"Authorization": {"Basic YTpi"}, "Cookie": {"a=b"}, "X-Auth-Token": {"application's own"}, "Connection": {"keep-alive"},
		"Upgrade": {"websocket"},
	}
	if new(Site).Clean(h); !reflect.DeepEqual(h, want) {
		t.Errorf("Clean left %v, want %v", h, want)
	}
	new(Site).Clean(nil)
}

// A client lists an identity header in Connection, so that the proxy deletes what
// the gate sets (RFC 9110, section 7.6.1).
func TestCleanConnection(t *testing.T) {
	for _, test := range []struct{ values, want []string }{
		{[]string{"keep-alive"}, []string{"keep-alive"}},
		{[]string{"close, , x-other"}, []string{"close, , x-other"}},
		{[]string{"X-Auth-User-Id"}, nil},
		{[]string{"close, x_auth_email ,upgrade", "AUTHORIZATION"}, []string{"close, upgrade"}},
		{[]string{"authorizations"}, []string{"authorizations"}},
	} {
		h := Header{"Connection": test.values}
		if new(Site).Clean(h); !reflect.DeepEqual(h["Connection"], test.want) {
			t.Errorf("Clean(Connection: %q) left %q, want %q", test.values, h["Connection"], test.want)
		}
	}
}

// A client asks for a protocol that carries further requests past the gate
// (CWE-444).
func TestCleanUpgrade(t *testing.T) {
	for value, removed := range map[string]bool{
		"h2c": true, "H2C": true, " h2c\t": true, "websocket, h2c": true, "h2c,websocket": true, "h2c/1": true,
		"HTTP/2.0": true, "TLS/1.0": true, "": false, "websocket": false, "WebSocket": false, "SPDY/3.1": false, "tcp": false, "h2": false,
	} {
		h := Header{"Upgrade": {value}}
		if new(Site).Clean(h); (h["Upgrade"] == nil) != removed {
			t.Errorf("Clean(Upgrade: %q) left %q, want removed: %t", value, h["Upgrade"], removed)
		}
	}
	h := Header{"Upgrade": {"websocket", "h2c"}}
	if new(Site).Clean(h); h["Upgrade"] != nil {
		t.Errorf("Clean of two fields left %q, want none", h["Upgrade"])
	}
}

// body is a request body that adds fields to the trailer at its end, as net/http
// does.
type body struct {
	io.Reader
	trailer Header
	arrives Header
}

func (b *body) end() {
	for name, values := range b.arrives {
		b.trailer[name] = values
	}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *body) Close() error {
	b.end()
	return nil
}

// A client sends the forged identity after the body, announced or not.
func TestCleanTrailer(t *testing.T) {
	for _, read := range []bool{true, false} {
		trailer := Header{"X-Auth-User-Id": nil, "Expires": nil}
		forged := Header{"X-Auth-User-Id": {"root"}, "X-Auth-Email": {"root@example.com"}, "Expires": {"0"}}
		r := new(Site).CleanTrailer(&body{strings.NewReader("text"), trailer, forged}, trailer)
		if !reflect.DeepEqual(trailer, Header{"Expires": nil}) {
			t.Errorf("announced: CleanTrailer left %v", trailer)
		}
		if read {
			if data, err := io.ReadAll(r); string(data) != "text" || err != nil {
				t.Errorf("ReadAll = %q, %v, want the body", data, err)
			}
		} else if err := r.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if !reflect.DeepEqual(trailer, Header{"Expires": {"0"}}) {
			t.Errorf("arrived: CleanTrailer left %v", trailer)
		}
	}
	trailer := Header{}
	broken := new(Site).CleanTrailer(&body{errReader{}, trailer, Header{"X-Auth-Name": {"x"}}}, trailer)
	if _, err := io.ReadAll(broken); err == nil || len(trailer) != 0 {
		t.Errorf("ReadAll of a broken body = %v with trailer %v, want an error and no trailer", err, trailer)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

// A host that fetches fields one by one and leaves out the ignored ones gets the
// same header as one that has all of them.
func TestUseOf(t *testing.T) {
	for name, want := range map[string]FieldUse{
		"authorization": FieldRead, "CONNECTION": FieldRead, "upgrade": FieldRead, "origin": FieldRead,
		"access-control-request-method": FieldRead, "Access-Control-Request-Headers": FieldRead,
		"cookie": FieldDeleted, "x-http-method-override": FieldDeleted, "x_auth_user_id": FieldDeleted, "X-Auth-Assertion": FieldDeleted,
		"accept": FieldIgnored, "": FieldIgnored, "x-auth-token": FieldIgnored, "proxy-authorization": FieldIgnored,
	} {
		if _, use := new(Site).UseOf(name); use != want {
			t.Errorf("UseOf(%q) = %d, want %d", name, use, want)
		}
	}
	if key, _ := new(Site).UseOf("aUTHORIZATION"); key != "Authorization" {
		t.Errorf("UseOf(aUTHORIZATION) names %q, want Authorization", key)
	}
}

// FuzzClean: whatever the header, no identity is left, nothing else is deleted,
// and what UseOf ignores does not change.
func FuzzClean(f *testing.F) {
	f.Add("X_Auth_User_Id", "root", "close, X-Auth-Name", "h2c")
	f.Add("Accept", "*/*", "keep-alive", "websocket")
	f.Fuzz(func(t *testing.T, name, value, connection, upgrade string) {
		h := Header{"Connection": {connection}, "Upgrade": {upgrade}}
		if h[name] == nil {
			h[name] = []string{value}
		}
		new(Site).Clean(h)
		for left := range h {
			if IsIdentityHeader(left) {
				t.Errorf("Clean left %q", left)
			}
		}
		for option := range connectionOptions(h["Connection"]) {
			if isEndToEnd(option, nil) {
				t.Errorf("Clean left %q in Connection %q", option, connection)
			}
		}
		if _, use := new(Site).UseOf(name); use == FieldIgnored && (len(h[name]) != 1 || h[name][0] != value) {
			t.Errorf("Clean changed %q: %q to %q", name, value, h[name])
		}
	})
}

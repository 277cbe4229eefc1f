package gate

import (
	"reflect"
	"strings"
	"testing"
)

func TestManagedHeaders(t *testing.T) {
	headers, managed, err := ChosenHeaders([]string{"remote-USER=email", "X-Auth-Name", "X-WEBAUTH-USER=id"})
	want := []ManagedHeader{{"Remote-User", "email"}, {"X-Webauth-User", "id"}}
	if err != nil || !reflect.DeepEqual(managed, want) || len(headers) != 1 || headers[0] != HeaderName {
		t.Errorf("ChosenHeaders = %q, %v, %v, want %v next to %s", headers, managed, err, want, HeaderName)
	}
	for text, fault := range map[string]string{
		"Remote-User=":                  "unknown field",
		"Remote-User=role":              "use one of id, email",
		"=email":                        "does not begin with the name of a header",
		"Remote User=email":             "does not begin with the name of a header",
		"Remote-User\r\nX: =id":         "does not begin with the name of a header",
		"Rémote=email":                  "does not begin with the name of a header",
		"X-Auth-Email=email":            "list it without",
		"x_auth_user_id=id":             "list it without",
		"Host=email":                    "use another name",
		"Cookie=email":                  "use another name",
		"Content_Length=id":             "use another name",
		"Transfer-Encoding=id":          "use another name",
		"Proxy=id":                      "use another name",
		"X-Forwarded-For=id":            "use another name",
		"X-Original-URL=id":             "use another name",
		"Sec-Fetch-Site=id":             "use another name",
		"Authorization=id":              "use another name",
		"X-Http-Method.Override=id":     "use another name",
		strings.Repeat("x", 65) + "=id": "does not begin with the name of a header",
	} {
		if _, got, err := ChosenHeaders([]string{text}); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("ChosenHeaders(%q) = %v, %v, want the error %q", text, got, err, fault)
		}
	}
	if _, got, err := ChosenHeaders([]string{"Remote-User=id", "Remote_User=email"}); err == nil {
		t.Errorf("ChosenHeaders of two aliases = %v, want an error", got)
	}
	for _, text := range []string{"X-Forwarded-User=email", "X-Forwarded-Email=email", "X-Remote-User=id", "Hostess=id", "X-Token-Subject=id"} {
		if _, _, err := ChosenHeaders([]string{text}); err != nil {
			t.Errorf("ChosenHeaders(%q) = %v, want no error", text, err)
		}
	}
}

// A client sends a managed header under any name that an upstream may read as it
// (CWE-290).
func TestHardeningManagedHeaders(t *testing.T) {
	_, managed, err := ChosenHeaders([]string{"Remote-User=email"})
	if err != nil {
		t.Fatalf("ChosenHeaders = %v", err)
	}
	site := Site{Managed: managed}
	for _, name := range []string{"Remote-User", "remote_user", "REMOTE.USER", " Remote-User", "Remote-User\t", "remote user"} {
		header := Header{name: {"mallory"}, "Connection": {"close, " + strings.TrimSpace(name)}}
		site.Clean(header)
		if want := (Header{"Connection": {"close"}}); !reflect.DeepEqual(header, want) {
			t.Errorf("Clean of %q left %q, want %q", name, header, want)
		}
		if _, use := site.UseOf(name); use != FieldDeleted {
			t.Errorf("UseOf(%q) = %d, want %d", name, use, FieldDeleted)
		}
		trailer := Header{name: {"mallory"}}
		if body := site.CleanTrailer(nil, trailer); body == nil || len(trailer) != 0 {
			t.Errorf("CleanTrailer of %q left %q, want nothing", name, trailer)
		}
	}
	header := Header{"Remote-Users": {"x"}, "User": {"x"}}
	if site.Clean(header); len(header) != 2 {
		t.Errorf("Clean left %q, want other headers unchanged", header)
	}
}

// FuzzManagedHeader checks that an accepted name is a canonical token that is deleted from
// requests.
func FuzzManagedHeader(f *testing.F) {
	for _, seed := range []string{"Remote-User=email", "x=id", "=", "a_b=name", "X-Auth-Name=id", "Te=id"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, managed, err := ChosenHeaders([]string{text})
		if err != nil || len(managed) == 0 {
			return
		}
		name := managed[0].Name
		if strings.ContainsAny(name, " \t\r\n:=\x00") || name == "" || canonical(name) != name {
			t.Errorf("ChosenHeaders(%q) names %q, want a canonical token", text, name)
		}
		site := Site{Managed: managed}
		if !site.IsManaged(strings.ReplaceAll(name, "-", "_")) {
			t.Errorf("IsManaged does not recognize an alias of %q", name)
		}
	})
}

package provider

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestIsPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "140.82.121.4": true, "2606:50c0:8000::153": true, "172.15.255.255": true, "172.32.0.0": true,
		"::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true,

		"127.0.0.1": false, "127.255.255.254": false, "0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false,
		"172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "192.0.0.1": false,
		"192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false,
		"240.0.0.1": false, "255.255.255.255": false,

		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "fc00::1": false,
		"fd00:ec2::254": false, "ff02::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false,
		"3fff::1": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::7f00:1": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "100::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: isPublic() = %v", text, got)
		}
	}
	if isPublic(netip.Addr{}) {
		t.Error("isPublic() of an empty address = true, want false")
	}
}

// TestServerSideRequestForgery points a provider to addresses that only this
// machine can reach (CWE-918). The resolved address decides, not the host name.
func TestServerSideRequestForgery(t *testing.T) {
	connected := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { connected = true }))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatalf("String() failed: %v", err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		client := http.Client{Transport: SafeTransport(false)}
		response, err := client.Get("http://" + host + ":" + port + "/")
		if err == nil {
			response.Body.Close()
		}
		if err == nil || connected || reason(err) != errPrivateAddress.Error() {
			t.Errorf("Get(%s) failed with %v, want a private address", host, err)
		}
	}
	client := http.Client{Transport: SafeTransport(true)}
	response, err := client.Get(server.URL)
	if err != nil || !connected {
		t.Fatalf("Get() with private addresses allowed failed: %v", err)
	}
	response.Body.Close()
	client.CloseIdleConnections()
}

// TestNamedOption requires the option in the error. The name resolves to loopback
// on every machine, but is not a literal address.
func TestNamedOption(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	cfg := Config{Name: "oidc", ClientID: "a", ClientSecret: "b", Issuer: server.URL, AllowPrivate: true}
	p, err := New(cfg, Deps{Transport: SafeTransport(false)})
	if err != nil {
		t.Fatalf("New() failed: %v", err)
	}
	_, err = p.Endpoint(t.Context())
	wants(t, err, authcore.ErrProviderFailed)
	if err == nil || !strings.Contains(err.Error(), "insecure_allow_private_addresses") {
		t.Errorf("Endpoint() = %v", err)
	}
}

// TestPrivateProvider uses the same server with private addresses allowed and the
// package's own transport.
func TestPrivateProvider(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"issuer":"` + server.URL + `","authorization_endpoint":"` + server.URL +
			`/a","token_endpoint":"` + server.URL + `/t","jwks_uri":"` + server.URL + `/k"}`))
	})
	p, err := New(Config{Name: "oidc", ClientID: "a", ClientSecret: "b", Issuer: server.URL, AllowPrivate: true}, Deps{})
	if err != nil {
		t.Fatalf("New() failed: %v", err)
	}
	endpoint, err := p.Endpoint(t.Context())
	if err != nil || endpoint.AuthorizeURL != server.URL+"/a" {
		t.Errorf("Endpoint() = %+v, %v", endpoint, err)
	}
}

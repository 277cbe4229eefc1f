package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	policies "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	authz "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	mutations "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	rbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	router "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	connections "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// The recipe for Envoy's ext_authz contains only options that Envoy knows, with values
// that it accepts, and its parts refer to each other. Envoy itself is not available as a
// package.
func TestEnvoyRecipe(t *testing.T) {
	text, err := os.ReadFile("../docs/examples/forward-auth/envoy.yaml")
	if err != nil {
		t.Fatalf("os.ReadFile = %v", err)
	}
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("yaml.Unmarshal = %v", err)
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		t.Fatalf("json.Marshal = %v", err)
	}
	var config bootstrap.Bootstrap
	if err := protojson.Unmarshal(encoded, &config); err != nil {
		t.Fatalf("protojson.Unmarshal = %v", err)
	}
	if err := config.ValidateAll(); err != nil {
		t.Errorf("ValidateAll = %v", err)
	}
	resources := config.GetStaticResources()
	manager := unpack[connections.HttpConnectionManager](t, resources.GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig())
	filters := manager.GetHttpFilters()
	if len(filters) != 4 {
		t.Fatalf("%d filters, want those that remove, ask, require a user and forward", len(filters))
	}
	var removed []string
	for _, mutation := range unpack[mutations.HeaderMutation](t, filters[0].GetTypedConfig()).GetMutations().GetRequestMutations() {
		removed = append(removed, http.CanonicalHeaderKey(mutation.GetRemove()))
	}
	if !slices.Equal(removed, gate.Headers) {
		t.Errorf("headers of the client that are removed = %v, want %v", removed, gate.Headers)
	}
	filter := unpack[authz.ExtAuthz](t, filters[1].GetTypedConfig())
	rules := unpack[rbac.RBAC](t, filters[2].GetTypedConfig()).GetRules()
	required := rules.GetPolicies()["user"].GetPrincipals()[0].GetHeader()
	if len(rules.GetPolicies()) != 1 || rules.GetAction() != policies.RBAC_ALLOW || required.GetName() != "x-auth-user-id" || required.GetStringMatch().GetSafeRegex().GetRegex() != ".+" {
		t.Errorf("rules = %v, want a user to be required", rules)
	}
	unpack[router.Router](t, filters[3].GetTypedConfig())
	if manager.GetCommonHttpProtocolOptions().GetHeadersWithUnderscoresAction() != core.HttpProtocolOptions_DROP_HEADER {
		t.Error("names with an underscore reach the application, want them to be dropped")
	}
	service := filter.GetHttpService()
	if filter.GetFailureModeAllow() || service.GetPathPrefix() != "/v1/auth/verify" || filter.GetStatusOnError().GetCode() != 503 {
		t.Errorf("ext_authz = %v, want the path of verify, and 503 while it is down", filter)
	}
	replaced := service.GetAuthorizationResponse().GetAllowedUpstreamHeaders().GetPatterns()
	if len(replaced) != 1 || replaced[0].GetPrefix() != "x-auth-" {
		t.Errorf("allowed_upstream_headers = %v, want all identity headers", replaced)
	}
	host := manager.GetRouteConfig().GetVirtualHosts()[0]
	for _, name := range []string{"authorization", "cookie"} {
		if !slices.Contains(host.GetRequestHeadersToRemove(), name) {
			t.Errorf("request_headers_to_remove = %v, want %s too", host.GetRequestHeadersToRemove(), name)
		}
	}
	used := []string{service.GetServerUri().GetCluster(), host.GetRoutes()[0].GetRoute().GetCluster()}
	for i, cluster := range resources.GetClusters() {
		if name := cluster.GetName(); !slices.Contains(used, name) {
			t.Errorf("cluster %s is not used", name)
		}
		if cluster.GetName() != used[0] {
			continue
		}
		socket := unpack[tls.UpstreamTlsContext](t, resources.GetClusters()[i].GetTransportSocket().GetTypedConfig())
		address := cluster.GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetSocketAddress().GetAddress()
		names := socket.GetCommonTlsContext().GetValidationContext().GetMatchTypedSubjectAltNames()
		if "https://"+address+":8443" != service.GetServerUri().GetUri() || socket.GetSni() != address || len(names) != 1 || names[0].GetMatcher().GetExact() != address {
			t.Errorf("the certificate is verified for %s and %v, want %s", socket.GetSni(), names, address)
		}
	}
	if len(resources.GetClusters()) != len(used) {
		t.Errorf("%d clusters, want %d", len(resources.GetClusters()), len(used))
	}
}

// unpack returns the configuration of an extension, which Envoy validates too.
func unpack[T any, M interface {
	*T
	ValidateAll() error
	proto.Message
}](t *testing.T, packed *anypb.Any) M {
	t.Helper()
	message := M(new(T))
	if err := packed.UnmarshalTo(message); err != nil {
		t.Fatalf("UnmarshalTo = %v", err)
	}
	if err := message.ValidateAll(); err != nil {
		t.Errorf("%s: ValidateAll = %v", packed.GetTypeUrl(), err)
	}
	return message
}

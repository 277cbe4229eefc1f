package authcore

import (
	"context"
	"net/netip"
)

// OperatorSource is the place at which an operator acts.
type OperatorSource string

// The sources of operators' actions.
const (
	// OperatorEndpoint is the operators' API on an endpoint that only operators reach.
	// The caller chooses the name.
	OperatorEndpoint OperatorSource = "admin_endpoint"
	// OperatorPage is the page for operators. The name is the ID of the signed-in user.
	OperatorPage OperatorSource = "admin_page"
)

// operator is the value of operatorKey.
type operator struct {
	name   string
	source OperatorSource
}

type (
	operatorKey struct{}
	clientIPKey struct{}
)

// WithOperator returns a context for calls that an operator makes. The name identifies
// the operator in the audit trail; it may be empty.
func WithOperator(ctx context.Context, name string, source OperatorSource) context.Context {
	return context.WithValue(ctx, operatorKey{}, operator{name, source})
}

// Operator returns the name that WithOperator set, or "".
func Operator(ctx context.Context) string {
	set, _ := ctx.Value(operatorKey{}).(operator)
	return set.name
}

// SourceOfOperator returns the source that WithOperator set, or "" if the call is not
// that of an operator.
func SourceOfOperator(ctx context.Context) OperatorSource {
	set, _ := ctx.Value(operatorKey{}).(operator)
	return set.source
}

// WithClientIP returns a context for a request from this address, which may be invalid.
func WithClientIP(ctx context.Context, ip netip.Addr) context.Context {
	return context.WithValue(ctx, clientIPKey{}, ip)
}

// ClientIP returns the address that WithClientIP set, or the zero Addr.
func ClientIP(ctx context.Context) netip.Addr {
	ip, _ := ctx.Value(clientIPKey{}).(netip.Addr)
	return ip
}

package authcore

import "context"

// operatorKey is the context key of the operator.
type operatorKey struct{}

// WithOperator returns a context for calls that an operator makes. The name identifies
// the operator in the audit trail: a user of the operating system, or the ID of a
// signed-in user.
func WithOperator(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, operatorKey{}, name)
}

// Operator returns the name that WithOperator set, or "".
func Operator(ctx context.Context) string {
	name, _ := ctx.Value(operatorKey{}).(string)
	return name
}

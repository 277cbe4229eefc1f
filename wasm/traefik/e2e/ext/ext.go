// Package ext replaces a module that Traefik's go.mod replaces by a folder of its
// repository, which module proxies do not have. It is empty there, too: other products
// of Traefik's makers extend the configuration with it.
package ext

// HTTP adds nothing.
type HTTP struct{}

// DeepCopyInto copies it.
func (*HTTP) DeepCopyInto(*HTTP) {}

// Router adds nothing.
type Router struct{}

// DeepCopyInto copies it.
func (*Router) DeepCopyInto(*Router) {}

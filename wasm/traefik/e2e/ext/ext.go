// Package ext stands for a module that Traefik's own go.mod replaces by a folder
// of its repository, which is on no module proxy. It has nothing in it there
// either: it is where Traefik's makers add to the configuration in other
// products.
package ext

// HTTP adds nothing.
type HTTP struct{}

// DeepCopyInto copies it.
func (*HTTP) DeepCopyInto(*HTTP) {}

// Router adds nothing.
type Router struct{}

// DeepCopyInto copies it.
func (*Router) DeepCopyInto(*Router) {}

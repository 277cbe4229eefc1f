package caddymodule

import (
	"context"

	"github.com/edgeauth/edgeauth/authcore"
)

// Storage is what modules of the namespace edgeauth.storage implement.
type Storage interface {
	// OpenStorage returns the store of one realm, and release, which gives it
	// back and is called once; ctx bounds the call. It is called at the start,
	// and not when a configuration is only validated. During a reload the store is opened for
	// the new configuration before the old one releases it: a back end that
	// cannot be opened twice shares it under a key that names the resource.
	OpenStorage(ctx context.Context, realm string) (store authcore.Store, release func() error, err error)
}

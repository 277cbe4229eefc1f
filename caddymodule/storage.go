package caddymodule

import (
	"context"
	"errors"

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

// RealmLister is a Storage that knows which realms it keeps. `caddy edgeauth
// migrate` asks it, to move all of them, and so that a mistyped name makes no
// empty realm.
type RealmLister interface {
	// StorageRealms returns the names of the realms in the form in which
	// OpenStorage takes them. It makes nothing: where nothing was ever kept, the
	// error wraps fs.ErrNotExist. It changes nothing either: where OpenStorage
	// would bring up to date what an older version has made, the error wraps
	// ErrOldStorage.
	StorageRealms(ctx context.Context) ([]string, error)
}

// ErrOldStorage says that an older version made what a storage keeps.
var ErrOldStorage = errors.New("an older version made what is there")

// defaultRealm stands for the default realm in a storage, where every realm has a
// name. It is none that a configuration can use.
const defaultRealm = "_default"

// storedRealm is the name of a realm in a storage.
func storedRealm(name string) string {
	if name == "" {
		return defaultRealm
	}
	return name
}

// configuredRealms turns names in a storage into those of a configuration.
func configuredRealms(stored []string) []string {
	names := make([]string, 0, len(stored))
	for _, name := range stored {
		if name == defaultRealm {
			name = ""
		}
		names = append(names, name)
	}
	return names
}

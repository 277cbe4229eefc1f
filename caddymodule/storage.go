package caddymodule

import (
	"context"
	"errors"
	"io"

	"github.com/edgeauth/edgeauth/authcore"
)

// Storage is implemented by modules of the namespace edgeauth.storage.
type Storage interface {
	// OpenStorage returns the store of one realm and release, which is called once; ctx
	// bounds the call. It is called at the start, and not when a configuration is only
	// validated. During a reload the store is opened for the new configuration before
	// the old one releases it: an engine that cannot be opened twice shares it under a
	// key that names the resource.
	OpenStorage(ctx context.Context, realm string) (store authcore.Store, release func() error, err error)
}

// RealmLister is a Storage that lists its realms. `caddy edgeauth migrate` uses it to
// move all of them, and so that a mistyped name creates no empty realm.
type RealmLister interface {
	// StorageRealms returns the names of the realms in the form that OpenStorage
	// accepts. It creates and changes nothing: if there is no storage, the error wraps
	// fs.ErrNotExist, and if OpenStorage would upgrade it, ErrOldStorage.
	StorageRealms(ctx context.Context) ([]string, error)
}

// StorageBackup is a Storage that can be copied while it is in use.
type StorageBackup interface {
	// BackupStorage writes a consistent copy of the storage, with all realms in it.
	BackupStorage(ctx context.Context, w io.Writer) error
}

// ErrOldStorage reports that an older version created the storage.
var ErrOldStorage = errors.New("an older version created this storage")

// defaultRealm is the name of the default realm in a storage. A configuration cannot
// use it.
const defaultRealm = "_default"

// storedRealm is the name of a realm in a storage.
func storedRealm(name string) string {
	if name == "" {
		return defaultRealm
	}
	return name
}

// openRealm returns the store of a realm in the database that open acquires. The release
// of the store is that of the database.
func openRealm[S authcore.Store, D interface {
	Realm(ctx context.Context, name string) (S, error)
}](ctx context.Context, realm string, open func() (D, func() error, error)) (authcore.Store, func() error, error) {
	db, release, err := open()
	if err != nil {
		return nil, nil, err
	}
	store, err := db.Realm(ctx, storedRealm(realm))
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	return store, release, nil
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

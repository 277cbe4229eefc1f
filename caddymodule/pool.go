package caddymodule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/caddyserver/caddy/v2"
)

// resources holds what outlives a configuration: open files, mail queues,
// counters. It is the one variable of the package that is no constant, because
// two configurations know nothing of each other but that they run in one
// process. Keys name the resource itself, such as the path of a file: with the
// configuration as key a changed option would open the file a second time, and
// bbolt waits for its lock forever.
var resources = caddy.NewUsagePool()

// poolKey names a resource by everything that it depends on. It is a digest, since
// addresses of servers hold passwords.
func poolKey(kind string, parts []string) string {
	digest := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(digest, "%d:%s", len(part), part)
	}
	return kind + ":" + hex.EncodeToString(digest.Sum(nil))
}

// resource is a value in the pool with what closes it.
type resource[T any] struct {
	value   T
	destroy func() error
}

// Destruct closes the value after its last user gave it back.
func (r *resource[T]) Destruct() error {
	if r.destroy == nil {
		return nil
	}
	return r.destroy()
}

// acquire returns the value with this key and opens it when there is none. The
// value is closed after release was called for each acquire; calling one release
// again does nothing.
func acquire[T any](key string, open func() (T, func() error, error)) (value T, release func() error, err error) {
	entry, _, err := resources.LoadOrNew(key, func() (caddy.Destructor, error) {
		value, destroy, err := open()
		if err != nil {
			return nil, err
		}
		return &resource[T]{value, destroy}, nil
	})
	if err != nil {
		return value, nil, err
	}
	release = sync.OnceValue(func() error {
		_, err := resources.Delete(key)
		return err
	})
	return entry.(*resource[T]).value, release, nil
}

var _ caddy.Destructor = (*resource[int])(nil)

package caddymodule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync"

	"github.com/caddyserver/caddy/v2"
)

// resources holds the resources that outlive a configuration: open files, mail
// queues, counters. It is the only variable of the package, because two
// configurations share nothing but the process. Keys name the resource itself,
// such as the path of a file: if the key were the configuration, a changed option
// would open the file a second time, and bbolt would wait for its lock forever.
var resources = caddy.NewUsagePool()

// poolKey returns a key that depends on all of parts. It is a digest, because
// addresses of servers contain passwords.
func poolKey(kind string, parts []string) string {
	digest := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(digest, "%d:%s", len(part), part)
	}
	return kind + ":" + hex.EncodeToString(digest.Sum(nil))
}

// resource is a pooled value with the function that closes it.
type resource[T any] struct {
	value   T
	destroy func() error
}

// Destruct closes the value after its last user released it.
func (r *resource[T]) Destruct() (err error) {
	if r.destroy == nil {
		return nil
	}
	defer recoverError("closing", &err)
	return r.destroy()
}

// acquire returns the value with this key and opens it if it is absent. The value
// is closed after release was called for each acquire; calling one release again
// does nothing.
//
// A panic in open becomes an error. Otherwise the pool's entry would stay locked,
// and every later reload that names it would hang.
func acquire[T any](key string, open func() (T, func() error, error)) (value T, release func() error, err error) {
	entry, _, err := resources.LoadOrNew(key, func() (_ caddy.Destructor, err error) {
		defer recoverError("opening", &err)
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

// share is acquire for a value that needs no closing.
func share[T any](key string, create func() T) (value T, release func() error, err error) {
	return acquire(key, func() (T, func() error, error) { return create(), nil, nil })
}

// recoverError turns a panic into an error. It names the type of a value that is not
// an error of the runtime, because the value may contain a secret.
func recoverError(doing string, err *error) {
	switch cause := recover().(type) {
	case nil:
	case runtime.Error:
		*err = fmt.Errorf("%s failed: panic: %w", doing, cause)
	default:
		*err = fmt.Errorf("%s failed: panic with a %T", doing, cause)
	}
}

var _ caddy.Destructor = (*resource[int])(nil)

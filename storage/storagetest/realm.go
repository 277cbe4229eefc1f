package storagetest

import (
	"context"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
)

// Engine is an open engine with the stores of realms.
type Engine[S authcore.Store] interface {
	Realm(ctx context.Context, name string) (S, error)
	Close() error
}

// Realm returns the store of a realm of an engine, which is closed after the test. The
// arguments db and err are the results of opening it.
func Realm[S authcore.Store](t *testing.T, db Engine[S], err error) authcore.Store {
	t.Helper()
	if err != nil {
		t.Fatalf("open the engine: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() })
	store, err := db.Realm(t.Context(), "_default")
	if err != nil {
		t.Fatalf("open the realm: %v", err)
	}
	return store
}

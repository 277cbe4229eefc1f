package memory

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

// fewCounters is a bound that the suite can reach quickly.
const fewCounters = 1000

func TestStore(t *testing.T) {
	storagetest.Run(t, storagetest.Config{
		Open: func(*testing.T) authcore.Store {
			store := New()
			store.counters.max = fewCounters
			return store
		},
		MaxCounters: fewCounters,
	})
}

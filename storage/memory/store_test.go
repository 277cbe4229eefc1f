package memory_test

import (
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
	"github.com/edgeauth/edgeauth/storage/storagetest"
)

func TestStore(t *testing.T) {
	storagetest.Run(t, func(*testing.T) authcore.Store { return memory.New() })
}

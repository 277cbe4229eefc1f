//go:build !unix

package e2e

import (
	"testing"

	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// smallDatabase returns no functions: this system has no file system of a given size.
func smallDatabase(testing.TB, *pgtest.Server) (fill, empty func(testing.TB), dsn string) {
	return nil, nil, ""
}

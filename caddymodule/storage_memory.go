package caddymodule

import (
	"context"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/memory"
)

func init() {
	caddy.RegisterModule(new(MemoryStorage))
}

// MemoryStorage keeps a realm in the memory of the process. It survives a reload and
// loses everything at a restart: for tests and demonstrations.
type MemoryStorage struct{}

// CaddyModule returns the Caddy module information.
func (*MemoryStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.memory", New: func() caddy.Module { return new(MemoryStorage) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	storage memory
func (*MemoryStorage) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if d.NextArg() {
		return d.Errf("storage memory: expected no argument")
	}
	return newBlock(d).options(nil)
}

// OpenStorage returns the realm's store, the same one for all configurations of
// the process.
func (*MemoryStorage) OpenStorage(_ context.Context, realm string) (authcore.Store, func() error, error) {
	return share("memory:"+realm, func() authcore.Store { return memory.New() })
}

// Interface guards.
var (
	_ Storage               = (*MemoryStorage)(nil)
	_ caddyfile.Unmarshaler = (*MemoryStorage)(nil)
)

package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/bolt"
)

func init() {
	caddy.RegisterModule(new(BoltStorage))
}

// BoltStorage keeps realms in one file of this machine. Acknowledged changes are on
// disk. It is the default, and for one process: a second one that opens the file
// does not start.
type BoltStorage struct {
	// The path of the file. It is made when it does not exist, readable by its
	// owner only. May hold placeholders. Default: `edgeauth/edgeauth.db` in
	// Caddy's data directory.
	Path string `json:"path,omitempty"`

	path string
}

// CaddyModule returns the Caddy module information.
func (*BoltStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "edgeauth.storage.bolt", New: func() caddy.Module { return new(BoltStorage) }}
}

// UnmarshalCaddyfile sets the module up from Caddyfile tokens. Syntax:
//
//	storage bolt [<path>]
func (s *BoltStorage) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the module's name
	if arguments := d.RemainingArgs(); len(arguments) > 1 {
		return d.Errf("storage bolt: expected at most one argument, the path of the file")
	} else if len(arguments) == 1 {
		s.Path = arguments[0]
	}
	return newBlock(d).options(nil)
}

// Provision checks the path. It does not open the file: another process may hold
// it while a configuration is validated.
func (s *BoltStorage) Provision(caddy.Context) error {
	s.path = filepath.Join(caddy.AppDataDir(), "edgeauth", "edgeauth.db")
	if s.Path != "" {
		var err error
		if s.path, err = newResolver("storage bolt").text("path", s.Path); err != nil {
			return err
		}
	}
	if info, err := os.Stat(s.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("storage bolt: path: %s is not a regular file", s.path)
	}
	return nil
}

// location is the path, for the log.
func (s *BoltStorage) location() string { return s.path }

// OpenStorage returns the realm's part of the file, which is opened once in the
// process however many realms and configurations use it.
func (s *BoltStorage) OpenStorage(ctx context.Context, realm string) (authcore.Store, func() error, error) {
	return openRealm(ctx, realm, s.open)
}

// StorageRealms returns the realms in the file.
func (s *BoltStorage) StorageRealms(ctx context.Context) (names []string, err error) {
	if _, err := os.Stat(s.path); err != nil {
		return nil, fmt.Errorf("storage bolt: %w", err)
	}
	db, release, err := s.open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	names, err = db.Realms(ctx)
	return configuredRealms(names), err
}

// BackupStorage writes a copy of the file.
func (s *BoltStorage) BackupStorage(ctx context.Context, w io.Writer) (err error) {
	db, release, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	_, err = db.Backup(ctx, w)
	return err
}

func (s *BoltStorage) open() (*bolt.DB, func() error, error) {
	path, err := canonicalPath(s.path)
	if err != nil {
		return nil, nil, err
	}
	return acquire("bolt:"+path, func() (*bolt.DB, func() error, error) {
		db, err := bolt.Open(path)
		if err != nil {
			return nil, nil, fmt.Errorf("%w%s", err, accessHint(err, path))
		}
		return db, db.Close, nil
	})
}

// CheckStorage reads the file. A server that opens it meanwhile waits.
func (s *BoltStorage) CheckStorage(ctx context.Context, _ string) (string, error) {
	path, err := canonicalPath(s.path)
	if err != nil {
		return "", err
	}
	state, err := bolt.Check(ctx, path)
	if err != nil {
		return "", fmt.Errorf("%w%s", err, accessHint(err, path))
	}
	return state, writable(path)
}

// writable returns the reason why the file, or the folder for a new one, cannot be
// written. It changes nothing.
func writable(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // G304: the operator names the file
	switch {
	case err == nil:
		return file.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the file cannot be written: %w%s", err, accessHint(err, path))
	}
	return writableFolder(filepath.Dir(path))
}

// canonicalPath makes one path of all spellings of it, through symbolic links
// too. What does not exist yet is taken by its name.
func canonicalPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(absolute)
	if err == nil {
		return resolved, nil
	}
	parent := filepath.Dir(absolute)
	if !errors.Is(err, fs.ErrNotExist) || parent == absolute {
		return "", err
	}
	if parent, err = canonicalPath(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(absolute)), nil
}

// Interface guards.
var (
	_ Storage               = (*BoltStorage)(nil)
	_ StorageChecker        = (*BoltStorage)(nil)
	_ RealmLister           = (*BoltStorage)(nil)
	_ StorageBackup         = (*BoltStorage)(nil)
	_ caddy.Provisioner     = (*BoltStorage)(nil)
	_ caddyfile.Unmarshaler = (*BoltStorage)(nil)
)

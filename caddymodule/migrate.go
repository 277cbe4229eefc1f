package caddymodule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/transfer"
)

// progressInterval limits the time without a line of progress.
const progressInterval = 2 * time.Second

// migration is one run of `caddy edgeauth migrate`.
type migration struct {
	from, to string
	// realms to move; empty means all.
	realms []string
	dry    bool
	out    io.Writer
	clock  func() time.Time
}

// run moves the realms, one after the other, and stops at the first that fails.
func (m *migration) run(ctx context.Context) error {
	for flag, value := range map[string]string{"--from": m.from, "--to": m.to} {
		if value == "" {
			return fmt.Errorf("%s is required, for example: --from bolt --to postgres:{env.EDGEAUTH_DB}", flag)
		}
	}
	modules, cancel := caddy.NewContext(caddy.Context{Context: ctx})
	defer cancel()
	if err := m.move(ctx, modules); err != nil {
		return redacted{err, append(secretsIn(m.from), secretsIn(m.to)...)}
	}
	return nil
}

func (m *migration) move(ctx context.Context, modules caddy.Context) error {
	from, err := loadNamedStorage(modules, "--from", m.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	to, err := loadNamedStorage(modules, "--to", m.to)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	if bytes.Equal(from.raw, to.raw) {
		return errors.New("--from and --to name the same storage")
	}
	for _, storage := range []Storage{from.Storage, to.Storage} {
		if _, ok := storage.(*MemoryStorage); ok {
			return errors.New("storage memory belongs to one process; use another storage")
		}
	}
	realms, err := m.chooseRealms(ctx, from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	for _, realm := range realms {
		label := "realm " + realm
		if realm == "" {
			label = "default realm"
		}
		if m.dry {
			err = m.tryRealm(ctx, from, to, realm, label)
		} else {
			err = m.moveRealm(ctx, from, to, realm, label)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", label, err)
		}
	}
	if m.dry {
		m.say("nothing was changed, because of --dry-run")
	} else {
		m.say("moved to %s, realms: %d; point \"storage\" of the configuration at it", to.name, len(realms))
	}
	return nil
}

// chooseRealms returns the realms to move; see transfer.Select. A source of an older
// version is refused, because opening it would upgrade it.
func (m *migration) chooseRealms(ctx context.Context, from namedStorage) ([]string, error) {
	lister, ok := from.Storage.(RealmLister)
	if !ok {
		if len(m.realms) == 0 {
			return nil, fmt.Errorf("%s cannot list its realms; name them with --realm, '' for the default realm", from.name)
		}
		return m.realms, nil
	}
	present, err := lister.StorageRealms(ctx)
	if err != nil {
		return nil, err
	}
	realms, err := transfer.Select(present, m.realms)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from.name, err)
	}
	return realms, nil
}

// moveRealm copies a realm and compares it with the copy.
func (m *migration) moveRealm(ctx context.Context, from, to namedStorage, realm, label string) (err error) {
	source, release, err := from.OpenStorage(ctx, realm)
	if err != nil {
		return fmt.Errorf("opening --from: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	target, releaseTarget, err := to.OpenStorage(ctx, realm)
	if err != nil {
		return fmt.Errorf("opening --to: %w", err)
	}
	defer func() { err = errors.Join(err, releaseTarget()) }()
	moved, err := transfer.Move(ctx, source, target, m.clock, m.progress(label))
	if err != nil {
		return err
	}
	m.say("%s: read %s; stored %d, %d were present already", label, moved.Read, moved.Stored, moved.Read.Total()-moved.Stored)
	m.say("%s: source and target are equal", label)
	return nil
}

// tryRealm counts, and does not open a target that does not exist.
func (m *migration) tryRealm(ctx context.Context, from, to namedStorage, realm, label string) (err error) {
	source, release, err := from.OpenStorage(ctx, realm)
	if err != nil {
		return fmt.Errorf("opening --from: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	target, releaseTarget, note, err := m.presentTarget(ctx, to, realm)
	if err != nil {
		return err
	}
	if releaseTarget != nil {
		defer func() { err = errors.Join(err, releaseTarget()) }()
	}
	preview, err := transfer.Try(ctx, source, target, m.clock())
	if err != nil {
		return err
	}
	m.say("%s: %s to move", label, preview.Source)
	if note == "" {
		note = fmt.Sprintf("%s has %d of them already", to.name, preview.Present.Total())
	}
	m.say("%s: %s", label, note)
	return nil
}

// presentTarget opens the realm of the target if it exists; otherwise note describes
// why the target is nil.
func (m *migration) presentTarget(ctx context.Context, to namedStorage, realm string) (
	target authcore.Store, release func() error, note string, err error,
) {
	lister, ok := to.Storage.(RealmLister)
	if !ok {
		return nil, nil, to.name + " cannot list its realms, so it was not examined", nil
	}
	present, err := lister.StorageRealms(ctx)
	switch {
	case errors.Is(err, ErrOldStorage):
		return nil, nil, to.name + " was created by an older version; the move would upgrade it, so it was not examined", nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, nil, "", fmt.Errorf("--to: %w", err)
	case !slices.Contains(present, realm):
		return nil, nil, to.name + " has no such realm yet", nil
	}
	target, release, err = to.OpenStorage(ctx, realm)
	if err != nil {
		return nil, nil, "", fmt.Errorf("opening --to: %w", err)
	}
	return target, release, "", nil
}

// progress returns a function that reports the progress of a copy now and then.
func (m *migration) progress(label string) func(transfer.Counts) {
	last := m.clock()
	return func(read transfer.Counts) {
		if now := m.clock(); now.Sub(last) >= progressInterval {
			last = now
			m.say("%s: read %s so far", label, read)
		}
	}
}

func (m *migration) say(format string, arguments ...any) {
	_, _ = fmt.Fprintln(m.out, strings.TrimSpace(fmt.Sprintf(format, arguments...)))
}

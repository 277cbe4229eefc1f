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
	migrate "github.com/edgeauth/edgeauth/storage/transfer"
)

// progressInterval limits the time without a line of progress.
const progressInterval = 2 * time.Second

// migration is one run of `caddy edgeauth migrate`.
type migration struct {
	from, to string
	// realms to move; nil for all.
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
			return errors.New("memory is the memory of one server: nothing can be moved from there, and nothing would stay there")
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
		m.say("all is in %s; point \"storage\" of the configuration at it", to.name)
	}
	return nil
}

// chooseRealms returns which realms to move. A name that the source does not have
// is refused: opening it would make an empty one there. So is a source of an older
// version: it has to stay as it was, and opening it would bring it up to date.
func (m *migration) chooseRealms(ctx context.Context, from namedStorage) ([]string, error) {
	lister, ok := from.Storage.(RealmLister)
	if !ok {
		if m.realms == nil {
			return nil, fmt.Errorf("%s cannot tell which realms it has; name them with --realm, '' for the default one", from.name)
		}
		return m.realms, nil
	}
	present, err := lister.StorageRealms(ctx)
	if err != nil {
		return nil, err
	}
	if len(present) == 0 {
		return nil, fmt.Errorf("%s has no realm; is it the right one?", from.name)
	}
	for _, realm := range m.realms {
		if !slices.Contains(present, realm) {
			return nil, fmt.Errorf("%s has no realm %q; it has %q", from.name, realm, present)
		}
	}
	if m.realms != nil {
		return m.realms, nil
	}
	slices.Sort(present)
	return present, nil
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
	if err := migrate.CheckKeys(ctx, source, target, m.clock()); err != nil {
		return err
	}
	read, stored, err := migrate.Copy(ctx, source, target, m.clock(), m.progress(label))
	if err != nil {
		return err
	}
	m.say("%s: read %s; stored %d, %d were there already", label, read, stored, read.Total()-stored)
	return m.compare(ctx, source, target, label)
}

// compare reads both stores, and explains what differs.
func (m *migration) compare(ctx context.Context, source, target authcore.Store, label string) error {
	now := m.clock()
	snapshot, err := migrate.Take(ctx, source, now)
	if err != nil {
		return err
	}
	difference, err := snapshot.Compare(ctx, target, now)
	switch {
	case err != nil:
		return err
	case difference.Equal():
		m.say("%s: compared, and the same: %s", label, difference.Same)
		return nil
	case difference.Changed.Total()+difference.Surplus.Total() == 0:
		return fmt.Errorf("%s: the source is in use; stop every server that uses it, and run this again", difference)
	}
	return fmt.Errorf("%s: one of the two was in use since the copy was begun, and what is in the target is never changed; "+
		"stop every server that uses either, empty the target, and run this again", difference)
}

// tryRealm counts, and does not open what is not there yet.
func (m *migration) tryRealm(ctx context.Context, from, to namedStorage, realm, label string) (err error) {
	source, release, err := from.OpenStorage(ctx, realm)
	if err != nil {
		return fmt.Errorf("opening --from: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	now := m.clock()
	snapshot, err := migrate.Take(ctx, source, now)
	if err != nil {
		return err
	}
	m.say("%s: %s to move", label, snapshot.Counts())
	lister, ok := to.Storage.(RealmLister)
	if !ok {
		m.say("%s: %s cannot tell which realms it has, so it was not looked at", label, to.name)
		return nil
	}
	present, err := lister.StorageRealms(ctx)
	switch {
	case errors.Is(err, ErrOldStorage):
		m.say("%s: an older version made what is in %s; the move would bring it up to date, so it was not looked at", label, to.name)
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--to: %w", err)
	}
	if !slices.Contains(present, realm) {
		m.say("%s: %s has no such realm yet", label, to.name)
		return nil
	}
	target, releaseTarget, err := to.OpenStorage(ctx, realm)
	if err != nil {
		return fmt.Errorf("opening --to: %w", err)
	}
	defer func() { err = errors.Join(err, releaseTarget()) }()
	if err := migrate.CheckKeys(ctx, source, target, now); err != nil {
		return err
	}
	difference, err := snapshot.Compare(ctx, target, now)
	if err != nil {
		return err
	}
	m.say("%s: %s has %d of them already", label, to.name, difference.Same.Total())
	difference.Missing = migrate.Counts{}
	if !difference.Equal() {
		return fmt.Errorf("%s: one of the two was in use since a copy was begun; empty the target first", difference)
	}
	return nil
}

// progress returns what says every now and then how far a copy is.
func (m *migration) progress(label string) func(migrate.Counts) {
	last := m.clock()
	return func(read migrate.Counts) {
		if now := m.clock(); now.Sub(last) >= progressInterval {
			last = now
			m.say("%s: so far %s", label, read)
		}
	}
}

func (m *migration) say(format string, arguments ...any) {
	_, _ = fmt.Fprintln(m.out, strings.TrimSpace(fmt.Sprintf(format, arguments...)))
}

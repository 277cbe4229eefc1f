package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/storage/bolt"
)

// Backup returns the command "backup".
func Backup(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup <file>",
		Short: "Writes a consistent copy of the storage bolt while the server runs",
		Long: `
Asks the admin API of the running server for a copy of the file of the storage bolt, as
it is at one moment: with all realms in it, and with the signing keys. Logins continue
meanwhile. The copy is checked completely before it takes the name of the file, whose
mode is 0600. An existing file is replaced. With "-" the copy is written to standard
output, unchecked, for example to encrypt it.

PostgreSQL and Redis are backed up with their own tools.`,
		Example: `  caddy edgeauth backup /var/backups/edgeauth.db --compact
  caddy edgeauth backup - | age -r age1… > edgeauth.db.age`,
		Args: arguments(1, 1),
	}
	addServerFlags(cmd)
	compact := cmd.Flags().Bool("compact", false, "Leave out free pages")
	cmd.Flags().Bool("json", false, "Print one JSON object")
	cmd.RunE = connected(connect, func(ctx context.Context, s server, args []string) error {
		switch {
		case args[0] != "-":
			return s.backup(ctx, args[0], *compact)
		case *compact:
			return errors.New("--compact: is not possible on standard output; name a file")
		default:
			return s.copyTo(ctx, s.out)
		}
	})
	return cmd
}

// copyTo writes the backup that the server sends.
func (s server) copyTo(ctx context.Context, w io.Writer) error {
	response, err := s.send(ctx, http.MethodPost, "/backup", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("the backup is not complete: %w; try again", err)
	}
	return nil
}

// backup writes the backup to a temporary file in the folder of its name, checks it, and
// renames it.
func (s server) backup(ctx context.Context, name string, compact bool) error {
	if present, err := os.Stat(name); err == nil && !present.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file; name a file, or write - for standard output", printable(name))
	}
	folder := filepath.Dir(name)
	temporary, err := os.MkdirTemp(folder, ".edgeauth-backup-") // only its owner can read it
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	written := filepath.Join(temporary, "copy")
	if err := s.copyToFile(ctx, written); err != nil {
		return err
	}
	if compact {
		compacted := filepath.Join(temporary, "compacted")
		if err := bolt.Compact(ctx, written, compacted); err != nil {
			return err
		}
		written = compacted
	}
	if _, err := bolt.Check(ctx, written); err != nil {
		return fmt.Errorf("the backup is damaged: %w", err)
	}
	info, err := os.Stat(written)
	if err != nil {
		return err
	}
	if err := bolt.Rename(written, name); err != nil {
		return err
	}
	if s.json {
		return s.line(map[string]any{"file": name, "bytes": info.Size()})
	}
	_, err = fmt.Fprintf(s.out, "%s: %d bytes, checked\n", printable(name), info.Size())
	return err
}

// copyToFile writes the backup durably to a new file that only its owner can read.
func (s server) copyToFile(ctx context.Context, name string) (err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := s.copyTo(ctx, file); err != nil {
		return err
	}
	return file.Sync()
}

//go:build unix

package e2e

import (
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/edgeauth/edgeauth/internal/pgtest"
)

// smallDatabase creates a database whose tables are on a small file system, which
// fill leaves without space. Only root can mount one: for other users fill is nil
// and the database is an ordinary one.
func smallDatabase(t testing.TB, server *pgtest.Server) (fill, empty func(testing.TB), dsn string) {
	t.Helper()
	folder := filepath.Join(server.SocketDir, "small")
	if err := mountSmall(t, server.SocketDir, folder); err != nil {
		return nil, nil, server.Database(t)
	}
	dsn = server.Database(t)
	named, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	database := strings.TrimPrefix(named.Path, "/")
	server.Exec(t, "postgres",
		"CREATE TABLESPACE small LOCATION '"+folder+"'",
		`ALTER DATABASE "`+database+`" SET TABLESPACE small`)
	ballast := filepath.Join(folder, "ballast")
	fill = func(t testing.TB) {
		t.Helper()
		file, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := io.Copy(file, zeros{}); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("fill: %v", err)
		}
	}
	empty = func(t testing.TB) {
		t.Helper()
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	}
	return fill, empty, dsn
}

func mountSmall(t testing.TB, like, folder string) error {
	if os.Getuid() != 0 {
		return errors.New("only root mounts file systems")
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "tmpfs", folder).CombinedOutput(); err != nil {
		return errors.New(string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	return os.Chown(folder, int(owner.Uid), int(owner.Gid))
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

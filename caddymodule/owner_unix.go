//go:build unix

package caddymodule

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// accessHint describes, for an error about missing rights, who owns the file or the
// nearest folder that exists, and as which user the process runs. It returns "" for
// other errors.
func accessHint(err error, path string) string {
	if !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	info, statErr := os.Stat(path)
	for statErr != nil && filepath.Dir(path) != path {
		path = filepath.Dir(path)
		info, statErr = os.Stat(path)
	}
	if statErr != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (%s is owned by %s with mode %04o, running as %s)",
		path, userName(int(owner.Uid)), info.Mode().Perm(), userName(os.Geteuid()))
}

// accessWrite is W_OK of access(2).
const accessWrite = 2

// userName returns the name of a user, or the number if the system has no name.
func userName(id int) string {
	known, err := user.LookupId(strconv.Itoa(id))
	if err != nil {
		return "user " + strconv.Itoa(id)
	}
	return known.Username
}

// writableFolder returns the reason why the folder, or the nearest one that exists,
// cannot be written.
func writableFolder(path string) error {
	for {
		if _, err := os.Stat(path); err == nil || filepath.Dir(path) == path {
			break
		}
		path = filepath.Dir(path)
	}
	if err := syscall.Access(path, accessWrite); err != nil {
		return fmt.Errorf("the folder %s cannot be written: %w%s", path, err, accessHint(err, path))
	}
	return nil
}

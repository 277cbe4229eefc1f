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
	path = nearest(path)
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (%s is owned by %s with mode %04o, running as %s)",
		path, userName(int(owner.Uid)), info.Mode().Perm(), userName(os.Geteuid()))
}

// nearest returns the path, or the nearest folder above it that exists.
func nearest(path string) string {
	if _, err := os.Stat(path); err == nil || filepath.Dir(path) == path {
		return path
	}
	return nearest(filepath.Dir(path))
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
	path = nearest(path)
	if err := syscall.Access(path, accessWrite); err != nil {
		return fmt.Errorf("the folder %s cannot be written: %w%s", path, err, accessHint(err, path))
	}
	return nil
}

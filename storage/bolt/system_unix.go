//go:build unix && !solaris && !aix && !android

package bolt

import (
	"os"
	"strconv"
	"syscall"
)

// ownerOf returns the number of the user that owns a file, or "".
func ownerOf(info os.FileInfo) string {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return strconv.FormatUint(uint64(stat.Uid), 10)
	}
	return ""
}

// release releases bbolt's lock and closes the file. A memory map that is left
// behind would keep the lock.
func release(file *os.File) error {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_UN); err != nil {
		return err
	}
	return file.Close()
}

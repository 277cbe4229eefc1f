//go:build unix

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

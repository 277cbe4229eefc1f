//go:build !unix

package bolt

import "os"

// ownerOf returns "": the owner of a file is not a number on this system.
func ownerOf(os.FileInfo) string { return "" }

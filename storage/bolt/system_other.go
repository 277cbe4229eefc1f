//go:build !unix || solaris || aix || android

package bolt

import "os"

// ownerOf returns "": the owner of a file is not reported on this system.
func ownerOf(os.FileInfo) string { return "" }

// release closes the file, which releases bbolt's lock.
func release(file *os.File) error { return file.Close() }

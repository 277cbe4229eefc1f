package bolt

import (
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"
)

// formatVersion is the version of what stands in the file. It is raised when an
// older program could no longer read the file rightly.
const formatVersion = 1

// realmPrefix keeps the buckets of realms apart from metaBucket.
const realmPrefix = "realm:"

var (
	metaBucket = []byte("edgeauth")
	versionKey = []byte("version")
)

// checkFormat marks an empty file as ours and refuses one that is not, or that a
// newer program wrote.
func checkFormat(file *bbolt.DB, path string) error {
	return file.Update(func(tx *bbolt.Tx) error {
		if first, _ := tx.Cursor().First(); first != nil {
			return checkVersion(tx, path)
		}
		created, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return fmt.Errorf("bolt: %w", err)
		}
		return created.Put(versionKey, []byte(strconv.Itoa(formatVersion)))
	})
}

// checkVersion refuses a file that is not ours, or that a newer program wrote. An
// empty one belongs to nobody yet.
func checkVersion(tx *bbolt.Tx, path string) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if first, _ := tx.Cursor().First(); first != nil {
			return fmt.Errorf("bolt: %s belongs to another program: name another file", path)
		}
		return nil
	}
	version, err := strconv.Atoi(string(meta.Get(versionKey)))
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("bolt: %s states no version of its format: restore it from a backup", path)
	case version > formatVersion:
		return fmt.Errorf(
			"bolt: %s has format %d, this program knows up to %d: run the newer program, or restore the backup made before it ran",
			path, version, formatVersion)
	}
	return nil
}

package bolt

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/edgeauth/edgeauth/authcore"
	"go.etcd.io/bbolt"
)

// layout numbers the arrangement of buckets and entries. It is incremented when
// older programs can no longer read the file.
const layout = 1

// realmPrefix keeps the buckets of realms apart from metaBucket.
const realmPrefix = "realm:"

var (
	metaBucket = []byte("edgeauth")
	layoutKey  = []byte("layout")
	formatKey  = []byte("format")
)

// errFormat is wrapped by the errors of checkFormat, which are complete.
var errFormat = errors.New("unexpected format")

// checkFormat refuses a file of another program or of a newer one. It returns
// whether the numbers of this program have to be stored.
func checkFormat(tx *bbolt.Tx, path string) (stale bool, err error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if first, _ := tx.Cursor().First(); first != nil {
			return false, fmt.Errorf("%w: %s belongs to another program; configure another file", errFormat, path)
		}
		return true, nil
	}
	stored, own := [2]int{}, [2]int{layout, authcore.Format}
	for i, key := range [][]byte{layoutKey, formatKey} {
		if stored[i], err = strconv.Atoi(string(meta.Get(key))); err != nil || stored[i] < 1 {
			return false, fmt.Errorf("%w: %s has no valid %s number; restore it from a backup", errFormat, path, key)
		}
		if stored[i] > own[i] {
			return false, fmt.Errorf(
				"%w: %s has %s %d, this program supports up to %d; run the newer program or restore an older backup",
				errFormat, path, key, stored[i], own[i])
		}
	}
	return stored != own, nil
}

// errUnchanged rolls a transaction back that has nothing to write.
var errUnchanged = errors.New("unchanged")

// markFormat stores the numbers of this program, unless they are stored.
func markFormat(tx *bbolt.Tx) error {
	stale, err := checkFormat(tx, tx.DB().Path())
	if err != nil {
		return err
	}
	if !stale {
		return errUnchanged
	}
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	return errors.Join(
		meta.Put(layoutKey, []byte(strconv.Itoa(layout))),
		meta.Put(formatKey, []byte(strconv.Itoa(authcore.Format))),
	)
}

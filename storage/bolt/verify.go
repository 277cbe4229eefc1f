package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// errDamaged is wrapped by the errors that describe damage to a file.
var errDamaged = errors.New("the file is damaged")

// Parts of bbolt's file format.
const (
	pageHeader    = 16 // id, flags, count, overflow
	elementHeader = 16
	bucketHeader  = 16 // root page, sequence

	branchFlag = 1
	leafFlag   = 2
	bucketFlag = 1
)

// verify checks every page that the file refers to. bbolt's own check is not
// sufficient: it uses goroutines, in which a fault or an endless recursion ends the
// process. Inspect is called with a transaction on an intact file. Ended returns an
// error to stop. While verify runs, no process can open the file for writing.
func verify(path string, timeout time.Duration, ended func() error, inspect func(*bbolt.Tx) error) error {
	var file *os.File
	options := &bbolt.Options{ReadOnly: true, Timeout: timeout}
	options.OpenFile = func(name string, flag int, mode os.FileMode) (opened *os.File, err error) {
		opened, err = os.OpenFile(name, flag, mode) //nolint:gosec // the operator names the file
		file = opened
		return opened, err
	}
	defer func() {
		if file != nil {
			_ = file.Close() // fails if bbolt has closed it
		}
	}()
	return guard("bbolt", func() error {
		db, err := bbolt.Open(path, fileMode, options)
		if err != nil && file != nil && !errors.Is(err, bolterrors.ErrTimeout) {
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
		if err != nil {
			return err
		}
		err = db.View(func(tx *bbolt.Tx) error {
			v := verifier{ended: ended, file: file, pageSize: int64(db.Info().PageSize)}
			if err := v.run(uint64(tx.Cursor().Bucket().RootPage()), tx.Size()); err != nil {
				return err
			}
			return inspect(tx)
		})
		return errors.Join(err, db.Close())
	})
}

// verifier checks the pages of a file.
type verifier struct {
	ended    func() error
	file     io.ReaderAt
	pageSize int64
	pages    uint64
	seen     []uint64 // a bit for each page
	pending  []pageRef
}

// pageRef is a page that has to be checked. Its keys are not less than low and
// less than high, which is nil for the last page of a bucket.
type pageRef struct {
	id        uint64
	low, high []byte
}

func (v *verifier) run(root uint64, size int64) error {
	v.pages = uint64(size / v.pageSize) //nolint:gosec // G115: the size of a file
	last := make([]byte, 1)
	if _, err := v.file.ReadAt(last, size-1); err != nil {
		return fmt.Errorf("%w: it is shorter than the %d bytes that it refers to", errDamaged, size)
	}
	v.seen = make([]uint64, v.pages/64+1)
	v.pending = []pageRef{{id: root}}
	for n := 0; len(v.pending) > 0; n++ {
		if n%256 == 0 {
			if err := v.ended(); err != nil {
				return err
			}
		}
		next := v.pending[len(v.pending)-1]
		v.pending = v.pending[:len(v.pending)-1]
		if err := v.page(next); err != nil {
			return fmt.Errorf("%w: page %d: %w", errDamaged, next.id, err)
		}
	}
	return nil
}

// page checks one page and adds the pages below it.
func (v *verifier) page(ref pageRef) error {
	if ref.id < 2 || ref.id >= v.pages {
		return errors.New("out of range")
	}
	page := make([]byte, v.pageSize)
	if _, err := v.file.ReadAt(page, int64(ref.id)*v.pageSize); err != nil { //nolint:gosec // below pages
		return err
	}
	overflow := uint64(binary.NativeEndian.Uint32(page[12:]))
	switch {
	case binary.NativeEndian.Uint64(page) != ref.id:
		return errors.New("has another number")
	case overflow >= v.pages-ref.id:
		return errors.New("too long")
	}
	for id := ref.id; id <= ref.id+overflow; id++ {
		if v.seen[id/64]&(1<<(id%64)) != 0 {
			return errors.New("used twice")
		}
		v.seen[id/64] |= 1 << (id % 64)
	}
	if overflow > 0 {
		page = make([]byte, (1+int64(overflow))*v.pageSize)                      //nolint:gosec // below pages
		if _, err := v.file.ReadAt(page, int64(ref.id)*v.pageSize); err != nil { //nolint:gosec // below pages
			return err
		}
	}
	return v.elements(page, ref)
}

// elements checks the elements of a page.
func (v *verifier) elements(page []byte, ref pageRef) error {
	if len(page) < pageHeader {
		return errors.New("too short")
	}
	flags, count := binary.NativeEndian.Uint16(page[8:]), int(binary.NativeEndian.Uint16(page[10:]))
	if flags != branchFlag && flags != leafFlag {
		return fmt.Errorf("unexpected type %#x", flags)
	}
	if flags == branchFlag && count == 0 || pageHeader+count*elementHeader > len(page) {
		return errors.New("unexpected number of elements")
	}
	var below []pageRef
	former := ref.low
	for i := range count {
		at := pageHeader + i*elementHeader
		element := page[at:]
		key, value, err := parseElement(element, flags)
		if err != nil {
			return err
		}
		switch order := bytes.Compare(key, former); {
		case former != nil && (order < 0 || order == 0 && i > 0), ref.high != nil && bytes.Compare(key, ref.high) >= 0:
			return errors.New("keys out of order")
		}
		former = key
		if flags == branchFlag {
			if i > 0 {
				below[i-1].high = key
			}
			below = append(below, pageRef{id: binary.NativeEndian.Uint64(element[8:]), low: key, high: ref.high})
			continue
		}
		if binary.NativeEndian.Uint32(element)&bucketFlag == 0 {
			continue
		}
		if err := v.bucket(value); err != nil {
			return err
		}
	}
	v.pending = append(v.pending, below...)
	return nil
}

// parseElement returns key and value of the element at the beginning of a text.
func parseElement(element []byte, flags uint16) (key, value []byte, err error) {
	var position, keySize, valueSize uint64
	if flags == branchFlag {
		position = uint64(binary.NativeEndian.Uint32(element))
		keySize = uint64(binary.NativeEndian.Uint32(element[4:]))
	} else {
		position = uint64(binary.NativeEndian.Uint32(element[4:]))
		keySize = uint64(binary.NativeEndian.Uint32(element[8:]))
		valueSize = uint64(binary.NativeEndian.Uint32(element[12:]))
	}
	if position+keySize+valueSize > uint64(len(element)) || keySize == 0 && flags == leafFlag {
		return nil, nil, errors.New("an element is out of range")
	}
	return element[position : position+keySize], element[position+keySize : position+keySize+valueSize], nil
}

// bucket checks the header of a bucket and the page in it, or adds its root page.
func (v *verifier) bucket(header []byte) error {
	if len(header) < bucketHeader {
		return errors.New("a bucket is too short")
	}
	if root := binary.NativeEndian.Uint64(header); root != 0 {
		v.pending = append(v.pending, pageRef{id: root})
		return nil
	}
	return v.elements(header[bucketHeader:], pageRef{})
}

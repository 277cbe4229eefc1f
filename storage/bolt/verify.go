package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
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

	branchFlag   = 1
	leafFlag     = 2
	freelistFlag = 16
	bucketFlag   = 1

	metaSize       = 80
	metaFreelist   = 48
	metaNumber     = 64
	noFreelist     = math.MaxUint64
	manyFree       = 0xffff // the number of free pages follows the header
	freePageLength = 8
)

// wholeFile is a limit for verify that selects all pages.
const wholeFile = math.MaxInt64

// verify checks the pages that the file refers to. bbolt's own check is not
// sufficient: it uses goroutines, in which a fault or an endless recursion ends the
// process.
//
// The leaves of a realm are not read if the file is longer than limit and has a list
// of free pages. Such a file was closed in order, and bbolt opens it without reading
// them. Damage in a leaf is then found when the leaf is used, and is contained by
// guard, whereas bbolt does not survive damage in the pages above the leaves.
//
// It then calls checkFormat. Ended returns an error to stop. While verify runs, no
// process can open the file for writing.
func verify(path string, timeout time.Duration, limit int64, ended func() error) error {
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
			if err := v.run(tx, limit); err != nil {
				return err
			}
			_, err := checkFormat(tx, path)
			return err
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
	// skipLeaves leaves out the leaves of realms.
	skipLeaves bool
	seen       []uint64 // a bit for each page
	pending    []pageRef
	buffer     []byte
}

// pageRef is a page that has to be checked. Its keys are not less than low and
// less than high, which is nil for the last page of a bucket.
type pageRef struct {
	id        uint64
	low, high []byte
	// realm reports that the page is in a realm, skip that it is not read.
	realm, skip bool
}

func (v *verifier) run(tx *bbolt.Tx, limit int64) error {
	size := tx.Size()
	v.pages = uint64(size / v.pageSize) //nolint:gosec // G115: the size of a file
	if err := v.read(make([]byte, 1), size-1); err != nil {
		return fmt.Errorf("%w: it is shorter than the %d bytes that it refers to", errDamaged, size)
	}
	v.seen = make([]uint64, v.pages/64+1)
	v.buffer = make([]byte, v.pageSize)
	listed, err := v.freelist(tx.ID())
	if err != nil {
		return fmt.Errorf("%w: list of free pages: %w", errDamaged, err)
	}
	v.skipLeaves = listed && size > limit
	v.pending = []pageRef{{id: uint64(tx.Cursor().Bucket().RootPage())}}
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

// freelist checks the list of free pages of a transaction, and marks it and the free
// pages as seen. It returns false if there is no list.
func (v *verifier) freelist(transaction int) (listed bool, err error) {
	for meta := range int64(2) {
		if err := v.read(v.buffer[:metaSize], meta*v.pageSize); err != nil {
			return false, err
		}
		if binary.NativeEndian.Uint64(v.buffer[metaNumber:]) != uint64(transaction) { //nolint:gosec // not negative
			continue
		}
		id := binary.NativeEndian.Uint64(v.buffer[metaFreelist:])
		if id == noFreelist {
			return false, nil
		}
		page, err := v.load(id)
		if err != nil {
			return false, err
		}
		return true, v.free(page)
	}
	return false, errors.New("no meta page has the number of the transaction")
}

// free checks the elements of a list of free pages.
func (v *verifier) free(page []byte) error {
	flags, count := binary.NativeEndian.Uint16(page[8:]), uint64(binary.NativeEndian.Uint16(page[10:]))
	ids := page[pageHeader:]
	if count == manyFree {
		count, ids = binary.NativeEndian.Uint64(ids), ids[freePageLength:]
	}
	if flags != freelistFlag || count > uint64(len(ids)/freePageLength) {
		return errors.New("unexpected type or number of elements")
	}
	former := uint64(1)
	for ; count > 0; count, ids = count-1, ids[freePageLength:] {
		id := binary.NativeEndian.Uint64(ids)
		if id <= former {
			return errors.New("pages out of order")
		}
		if err := v.mark(id, 0); err != nil {
			return err
		}
		former = id
	}
	return nil
}

func (v *verifier) read(text []byte, at int64) error {
	_, err := v.file.ReadAt(text, at)
	return err
}

// mark marks a page and those that continue it as seen.
func (v *verifier) mark(id, overflow uint64) error {
	switch {
	case id < 2 || id >= v.pages:
		return errors.New("out of range")
	case overflow >= v.pages-id:
		return errors.New("too long")
	}
	for last := id + overflow; id <= last; id++ {
		if v.seen[id/64]&(1<<(id%64)) != 0 {
			return errors.New("used twice")
		}
		v.seen[id/64] |= 1 << (id % 64)
	}
	return nil
}

// load returns a page, valid until the next call, and marks it as seen.
func (v *verifier) load(id uint64) ([]byte, error) {
	if id >= v.pages {
		return nil, errors.New("out of range")
	}
	page, at := v.buffer[:v.pageSize], int64(id)*v.pageSize //nolint:gosec // below pages
	if err := v.read(page, at); err != nil {
		return nil, err
	}
	if binary.NativeEndian.Uint64(page) != id {
		return nil, errors.New("has another number")
	}
	overflow := int64(binary.NativeEndian.Uint32(page[12:]))
	if err := v.mark(id, uint64(overflow)); err != nil || overflow == 0 { //nolint:gosec // not negative
		return page, err
	}
	if missing := (1+overflow)*v.pageSize - int64(len(v.buffer)); missing > 0 {
		v.buffer = append(v.buffer, make([]byte, missing)...)
	}
	page = v.buffer[:(1+overflow)*v.pageSize]
	return page, v.read(page, at)
}

// page checks one page and adds the pages below it.
func (v *verifier) page(ref pageRef) error {
	if ref.skip {
		return v.mark(ref.id, 0)
	}
	page, err := v.load(ref.id)
	if err != nil {
		return err
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
	if flags == branchFlag {
		page = bytes.Clone(page) // the pages below it refer to its keys
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
			below = append(below, pageRef{id: binary.NativeEndian.Uint64(element[8:]), low: key, high: ref.high, realm: ref.realm})
			continue
		}
		if binary.NativeEndian.Uint32(element)&bucketFlag == 0 {
			continue
		}
		if err := v.bucket(value); err != nil {
			return err
		}
	}
	if v.skipLeaves && ref.realm && flags == branchFlag {
		if err := v.skip(below); err != nil {
			return err
		}
	}
	v.pending = append(v.pending, below...)
	return nil
}

// skip marks pages as not to be read if they are leaves. All leaves of a bucket are
// at the same depth.
func (v *verifier) skip(below []pageRef) error {
	if below[0].id >= v.pages {
		return errors.New("refers to a page out of range")
	}
	header := make([]byte, pageHeader)
	if err := v.read(header, int64(below[0].id)*v.pageSize); err != nil { //nolint:gosec // below pages
		return err
	}
	for i := range below {
		below[i].skip = binary.NativeEndian.Uint16(header[8:]) == leafFlag
	}
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
		v.pending = append(v.pending, pageRef{id: root, realm: true})
		return nil
	}
	return v.elements(header[bucketHeader:], pageRef{realm: true})
}

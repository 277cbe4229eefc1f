package memory

import (
	"bytes"
	"iter"
	"slices"
	"sort"
)

// maxChunk is the largest number of entries in a chunk. Inserting moves the
// entries of one chunk; a split moves the list of chunks.
const maxChunk = 256

// entry is a key with its value. Neither is ever changed.
type entry struct{ key, value []byte }

// entries is an ordered map: a list of chunks, each a sorted list of entries. With
// a million entries a lookup takes two binary searches over some thousand chunks
// and some hundred entries. The zero value is empty.
type entries struct {
	chunks [][]entry // none is empty
}

// search returns the position of the first entry whose key is not less.
func (e *entries) search(key []byte) (chunk, index int) {
	chunk = sort.Search(len(e.chunks), func(i int) bool {
		last := e.chunks[i][len(e.chunks[i])-1]
		return bytes.Compare(last.key, key) >= 0
	})
	if chunk < len(e.chunks) {
		index = sort.Search(len(e.chunks[chunk]), func(i int) bool {
			return bytes.Compare(e.chunks[chunk][i].key, key) >= 0
		})
	}
	return chunk, index
}

// get returns the entry with the key and its position.
func (e *entries) get(key []byte) (found entry, present bool, chunk, index int) {
	chunk, index = e.search(key)
	if chunk == len(e.chunks) || !bytes.Equal(e.chunks[chunk][index].key, key) {
		return entry{}, false, chunk, index
	}
	return e.chunks[chunk][index], true, chunk, index
}

// from iterates in order, beginning at the first key that is not less.
func (e *entries) from(key []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		chunk, index := e.search(key)
		for ; chunk < len(e.chunks); chunk, index = chunk+1, 0 {
			for _, entry := range e.chunks[chunk][index:] {
				if !yield(entry.key, entry.value) {
					return
				}
			}
		}
	}
}

// put stores an entry and returns the one that it replaced.
func (e *entries) put(added entry) (former entry, replaced bool) {
	former, replaced, chunk, index := e.get(added.key)
	if replaced {
		e.chunks[chunk][index] = added
		return former, true
	}
	if chunk == len(e.chunks) {
		if chunk == 0 {
			e.chunks = [][]entry{{added}}
			return entry{}, false
		}
		chunk--
		index = len(e.chunks[chunk])
	}
	grown := slices.Insert(e.chunks[chunk], index, added)
	e.chunks[chunk] = grown
	if half := len(grown) / 2; len(grown) > maxChunk {
		if index == len(grown)-1 { // keys that increase fill their chunks
			half = len(grown) - 1
		}
		e.chunks[chunk] = slices.Clip(grown[:half])
		e.chunks = slices.Insert(e.chunks, chunk+1, slices.Clone(grown[half:]))
	}
	return entry{}, false
}

// remove deletes an entry and returns it.
func (e *entries) remove(key []byte) (former entry, present bool) {
	former, present, chunk, index := e.get(key)
	if !present {
		return entry{}, false
	}
	e.chunks[chunk] = slices.Delete(e.chunks[chunk], index, index+1)
	if len(e.chunks[chunk]) == 0 {
		e.chunks = slices.Delete(e.chunks, chunk, chunk+1)
	}
	return former, true
}

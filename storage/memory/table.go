package memory

import (
	"time"

	cache "github.com/patrickmn/go-cache"
)

// table is a go-cache whose values are all of one type. A nil pointer to its
// value never occurs: V is stored and returned by value.
type table[V any] struct {
	items *cache.Cache
}

// newTable makes a table that expires nothing by itself: without a cleanup
// interval go-cache starts no janitor.
func newTable[V any]() table[V] {
	return table[V]{items: cache.New(cache.NoExpiration, 0)}
}

func (t table[V]) get(key string) (V, bool) {
	item, found := t.items.Get(key)
	if !found {
		var none V
		return none, false
	}
	value, ok := item.(V)
	return value, ok
}

func (t table[V]) put(key string, value V) {
	t.items.Set(key, value, cache.NoExpiration)
}

func (t table[V]) remove(key string) {
	t.items.Delete(key)
}

// sweep calls forget for every item that had expired before now.
func (t table[V]) sweep(now time.Time, expires func(V) time.Time, forget func(V)) {
	for _, item := range t.items.Items() {
		if value, ok := item.Object.(V); ok && !now.Before(expires(value)) {
			forget(value)
		}
	}
}

// index finds the items of a table that belong to one owner.
type index map[string]map[string]struct{}

func (x index) add(owner, key string) {
	if x[owner] == nil {
		x[owner] = make(map[string]struct{})
	}
	x[owner][key] = struct{}{}
}

func (x index) remove(owner, key string) {
	delete(x[owner], key)
	if len(x[owner]) == 0 {
		delete(x, owner)
	}
}

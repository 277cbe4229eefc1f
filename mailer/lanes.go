package mailer

import "slices"

// lanes holds items by recipient domain and returns them round-robin, so that many
// items of one domain do not delay those of others.
type lanes struct {
	// order lists the domains that have items, the next one first.
	order []string
	items map[string][]*item
}

func newLanes() lanes { return lanes{items: map[string][]*item{}} }

func (l *lanes) push(it *item) {
	if len(l.items[it.domain]) == 0 {
		l.order = append(l.order, it.domain)
	}
	l.items[it.domain] = append(l.items[it.domain], it)
}

// pop returns the next item of a domain that is not skipped, or nil.
func (l *lanes) pop(skip func(domain string) bool) *item {
	for i, domain := range l.order {
		if skip(domain) {
			continue
		}
		it := l.items[domain][0]
		l.items[domain] = l.items[domain][1:]
		l.order = slices.Delete(l.order, i, i+1)
		if len(l.items[domain]) > 0 {
			l.order = append(l.order, domain)
		} else {
			delete(l.items, domain)
		}
		return it
	}
	return nil
}

// take removes and returns all items of a domain.
func (l *lanes) take(domain string) []*item {
	taken := l.items[domain]
	delete(l.items, domain)
	l.order = slices.DeleteFunc(l.order, func(one string) bool { return one == domain })
	return taken
}

// remove removes an item and reports whether it was present.
func (l *lanes) remove(it *item) bool {
	i := slices.Index(l.items[it.domain], it)
	if i < 0 {
		return false
	}
	rest := slices.Delete(l.items[it.domain], i, i+1)
	l.items[it.domain] = rest
	if len(rest) == 0 {
		l.take(it.domain)
	}
	return true
}

// largest returns the domain with the most items.
func (l *lanes) largest() string {
	var largest string
	for _, domain := range l.order {
		if len(l.items[domain]) > len(l.items[largest]) {
			largest = domain
		}
	}
	return largest
}

package gate

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"sort"
)

// revocationSize is the length of an entry in a revocationList.
const revocationSize = 8

// maxFeedFrame is more than a feed needs beside its lists: header, names, times,
// issuer and signature.
const maxFeedFrame = 16 << 10

// revocationList holds the hashes of one kind, in big-endian order, ascending
// and without gaps. A list that was decoded can be searched as it is.
type revocationList []byte

func (l revocationList) len() int { return len(l) / revocationSize }

func (l revocationList) at(i int) revocationID {
	return revocationID(binary.BigEndian.Uint64(l[i*revocationSize:]))
}

func (l revocationList) has(id revocationID) bool {
	i := sort.Search(l.len(), func(i int) bool { return l.at(i) >= id })
	return i < l.len() && l.at(i) == id
}

// valid reports whether has can search the list.
func (l revocationList) valid() bool {
	if len(l)%revocationSize != 0 {
		return false
	}
	for i := 1; i < l.len(); i++ {
		if l.at(i-1) >= l.at(i) {
			return false
		}
	}
	return true
}

// list returns the entries that last beyond now.
func (s *revocationSet) list(now int64) revocationList {
	ids := make([]revocationID, 0, s.len())
	for i := range s.shards {
		ids = s.shards[i].appendLive(ids, now)
	}
	slices.Sort(ids)
	list := make(revocationList, 0, len(ids)*revocationSize)
	for _, id := range ids {
		list = binary.BigEndian.AppendUint64(list, uint64(id))
	}
	return list
}

func (s *revocationShard) appendLive(ids []revocationID, now int64) []revocationID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, until := range s.until {
		if int64(until) > now {
			ids = append(ids, id)
		}
	}
	return ids
}

func marshalFeed(issuer string, issued, expires int64, lists [3]string) ([]byte, error) {
	return json.Marshal(struct {
		Issuer    string `json:"iss"`
		IssuedAt  int64  `json:"iat"`
		ExpiresAt int64  `json:"exp"`
		Users     string `json:"users"`
		Sessions  string `json:"sessions"`
		Tokens    string `json:"tokens"`
	}{issuer, issued, expires, lists[0], lists[1], lists[2]})
}

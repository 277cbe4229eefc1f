package gate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestRevocations(t *testing.T) {
	const other = "00000000-0000-4000-8000-000000000000"
	later := testNow.Add(time.Hour)
	tests := []struct {
		name    string
		entries []Revocation
		want    error
		length  int
	}{
		{"none", nil, nil, 0},
		{"the session", []Revocation{{Kind: RevokeSession, ID: testSession, Until: later}}, ErrRevoked, 1},
		{"the user", []Revocation{{Kind: RevokeUser, ID: testUser, Until: later}}, ErrUserInactive, 1},
		{"user and session", []Revocation{{Kind: RevokeSession, ID: testSession, Until: later}, {Kind: RevokeUser, ID: testUser, Until: later}}, ErrUserInactive, 2},
		{"others", []Revocation{{Kind: RevokeSession, ID: other, Until: later}, {Kind: RevokeUser, ID: other, Until: later}}, nil, 2},
		{"ids of another kind", []Revocation{{Kind: RevokeSession, ID: testUser, Until: later}, {Kind: RevokeUser, ID: testSession, Until: later}}, nil, 2},
		{"the id of the token", []Revocation{{Kind: RevokeSession, ID: testToken, Until: later}}, nil, 1},
		{"unknown kind", []Revocation{{Kind: "client", ID: testUser, Until: later}}, nil, 0},
		{"twice", []Revocation{{Kind: RevokeSession, ID: testSession, Until: later}, {Kind: RevokeSession, ID: testSession, Until: testNow}}, ErrRevoked, 1},
		{"lifted", []Revocation{{Kind: RevokeUser, ID: testUser, Until: later}, {Kind: RevokeUser, ID: testUser, Until: time.Time{}}}, nil, 0},
		{"lifted without", []Revocation{{Kind: RevokeUser, ID: testUser, Until: time.Time{}}}, nil, 0},
		{"upper case", []Revocation{{Kind: RevokeUser, ID: strings.ToUpper(testUser), Until: later}}, nil, 1},
		{"no hyphens", []Revocation{{Kind: RevokeUser, ID: strings.ReplaceAll(testUser, "-", ""), Until: later}}, nil, 1},
		{"before 1970", []Revocation{{Kind: RevokeUser, ID: testUser, Until: time.Unix(-5, 0)}}, ErrUserInactive, 1},
		{"far away", []Revocation{{Kind: RevokeUser, ID: testUser, Until: time.Unix(1<<40, 0)}}, ErrUserInactive, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := NewRevocations()
			r.Apply(test.entries...)
			claims := testClaims()
			if err := r.Check(&claims); !errors.Is(err, test.want) || r.Len() != test.length {
				t.Errorf("Check = %v with %d entries, want %v with %d", err, r.Len(), test.want, test.length)
			}
		})
	}
}

// IDs need not be UUIDs; nearly equal ones are different.
func TestRevocationIDs(t *testing.T) {
	ids := []string{
		"", "x", testUser, strings.ToUpper(testUser), testUser + " ", testUser[:35], testUser[:35] + "g",
		testUser[:35] + "-", strings.Repeat("-", 36), strings.Repeat("\x00", 36), "0b0e8f5e-6c0a-4d0e-9d55-1f4a5a1d9C01",
	}
	seen := map[revocationID]string{}
	for _, id := range ids {
		key := revocationIDOf(id)
		if other, taken := seen[key]; taken {
			t.Errorf("revocationIDOf(%q) and of %q are equal", id, other)
		}
		seen[key] = id
		r := NewRevocations()
		r.Apply(Revocation{Kind: RevokeUser, ID: id, Until: testNow})
		if err := r.Check(&Claims{Subject: id}); !errors.Is(err, ErrUserInactive) {
			t.Errorf("Check(%q) = %v, want ErrUserInactive", id, err)
		}
	}
}

func TestSweep(t *testing.T) {
	r := NewRevocations()
	for i := range 1000 {
		r.Apply(Revocation{Kind: RevokeSession, ID: fmt.Sprint(i), Until: testNow.Add(time.Duration(i) * time.Second)})
	}
	r.Apply(Revocation{Kind: RevokeUser, ID: testUser, Until: testNow.Add(time.Hour)})
	r.Sweep(testNow.Add(-time.Second))
	if r.Len() != 1001 {
		t.Errorf("Sweep before the end left %d entries, want 1001", r.Len())
	}
	r.Sweep(testNow.Add(900 * time.Second))
	// An entry is kept to the end of its second.
	if r.Len() != 101 {
		t.Errorf("Sweep left %d entries, want 101", r.Len())
	}
	for i := range 1000 {
		err := r.Check(&Claims{Session: fmt.Sprint(i)})
		if want := i >= 900; errors.Is(err, ErrRevoked) != want {
			t.Errorf("Check(session %d) = %v, want revoked: %t", i, err, want)
		}
	}
	r.Sweep(testNow.Add(24 * time.Hour))
	if r.Len() != 0 || r.Check(&Claims{Subject: testUser}) != nil {
		t.Errorf("Sweep left %d entries, want none", r.Len())
	}
}

func manyRevocations(n int) *Revocations {
	r := NewRevocations()
	id := []byte("00000000-5847-4635-a241-302f1e000000")
	entries := make([]Revocation, 0, 1000)
	for i := range n {
		number := hex.AppendEncode(nil, []byte{byte(i >> 16), byte(i >> 8), byte(i)})
		copy(id, number)
		copy(id[30:], number)
		entries = append(entries, Revocation{Kind: RevokeSession, ID: string(id), Until: testNow.Add(time.Hour)})
		if len(entries) == cap(entries) || i == n-1 {
			r.Apply(entries...)
			entries = entries[:0]
		}
	}
	return r
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A million revocations fit into the memory of a small machine. Their memory is
// released, all but the log for deltas.
func TestMillionRevocations(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n, bound = 1_000_000, 60 << 20
	before := heap()
	r := manyRevocations(n)
	used := heap() - before
	t.Logf("%d revocations take %.1f MB", r.Len(), float64(used)/(1<<20))
	if r.Len() != n || used > bound {
		t.Errorf("%d applied revocations take %d bytes, want %d with %d at the most", r.Len(), used, n, bound)
	}
	r.Sweep(testNow.Add(2 * time.Hour))
	if left := int64(heap()) - int64(before); r.Len() != 0 || left > 5<<20 {
		t.Errorf("after Sweep %d entries and %d bytes are left, want 0 and 5 MB", r.Len(), left)
	}
	runtime.KeepAlive(r)
}

// An edge holds a feed of 5 million revocations, at 13 bytes each, and twice as
// much only while it loads another full list.
func TestFiveMillionInTheFeed(t *testing.T) {
	const parts, bound = 612, 75 << 20 // 5,013,504 entries
	before := heap()
	r := NewRevocations()
	for part := range int64(parts) {
		entries := make([]feedEntry, maxPartEntries)
		for i := range entries {
			entries[i] = feedEntry{revocationID(part*maxPartEntries+int64(i)) << 41, uint32(testNow.Unix()) + 3600}
		}
		feed := &RevocationFeed{
			issued: testNow.Unix(), expires: testNow.Unix() + 3600, cursor: testNow.Unix(), read: testNow.Unix(),
			part: part + 1, parts: parts, sessions: newFeedList(entries),
		}
		if _, err := r.Load(feed); err != nil {
			t.Fatalf("Load(part %d) = %v", part+1, err)
		}
	}
	used := heap() - before
	t.Logf("%d revocations take %.1f MB", r.Len(), float64(used)/(1<<20))
	if r.Len() < 5_000_000 || used > bound {
		t.Errorf("a feed of %d revocations takes %d bytes, want 5 million with %d at the most", r.Len(), used, bound)
	}
	runtime.KeepAlive(r)
}

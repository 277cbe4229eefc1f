package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/internal/redistest"
	"github.com/edgeauth/edgeauth/internal/servertest"
	"github.com/edgeauth/edgeauth/storage/kv"
)

// A sequence of IDs is in the order of its shards.
func FuzzShard(f *testing.F) {
	f.Add("00", "0-")
	f.Add("59f", "5A")
	f.Add("", "\xff")
	f.Add("fff0", "ffg")
	f.Add("5f9", "5z")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a > b {
			a, b = b, a
		}
		if x, y := shard(a), shard(b); x > y || x < 0 || y >= shards {
			t.Errorf("shard(%q) = %d, shard(%q) = %d, want the order of the IDs", a, x, b, y)
		}
	})
}

// Any stored text is decoded or refused, and no error cites it.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "{}", "null", `{"id":"u","expires":"x"}`, `1 2 {"kind":"user"}`, `[{"id":"k"}]`, "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		user := state{id: "u", fields: map[string]string{userField: text, "s" + text: text, "i": text, seenField + text: text, text: text}}
		_, recordErr := decodeRecord(text, start)
		_, keysErr := kv.KeyItems([]byte(text), start)
		decodeRevocations([]string{text}, int64(1))
		for _, err := range []error{user.decode(start), recordErr, keysErr} {
			if err != nil && len(text) > 12 && strings.Contains(err.Error(), text) {
				t.Errorf("error %v cites %q", err, text)
			}
		}
	})
}

// Messages of the client library go to the logger that was set.
func TestLogger(t *testing.T) {
	server := redistest.Start(t, "appendonly no")
	server.Kill(t)
	messages := make(chan string, 100)
	SetLogger(logTo(messages))
	defer SetLogger(logTo(nil))
	if _, err := open(t, Config{URL: server.URL()}).Realm(t.Context(), "main"); !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Realm of a killed server = error %v, want %v", err, authcore.ErrUnavailable)
	}
	servertest.Eventually(t, "a message", func() bool { return len(messages) > 0 })
	if text := <-messages; !strings.Contains(text, "failed to dial") {
		t.Errorf("message = %q, want one about a failed connection", text)
	}
}

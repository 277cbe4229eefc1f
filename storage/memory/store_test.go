package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/storage/kv"
)

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// The entries behave like a sorted list, whatever the order of writes.
func TestEntries(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var e entries
	want := map[string]string{}
	for i := range 20_000 {
		key := fmt.Sprintf("%05d", random.IntN(5000))
		if i%3 == 0 {
			key = fmt.Sprintf("x%06d", i) // ascending
		}
		if random.IntN(3) == 0 {
			former, present := e.remove([]byte(key))
			if text, known := want[key]; known != present || string(former.value) != text {
				t.Fatalf("remove(%s) = %q, %v, want %q, %v", key, former.value, present, text, known)
			}
			delete(want, key)
			continue
		}
		former, replaced := e.put(entry{key: []byte(key), value: fmt.Append(nil, i)})
		if text, known := want[key]; known != replaced || string(former.value) != text {
			t.Fatalf("put(%s) replaced %q, %v, want %q, %v", key, former.value, replaced, text, known)
		}
		want[key] = fmt.Sprint(i)
	}
	keys := make([]string, 0, len(want))
	for key := range want {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, from := range []string{"", "00000", "02500", "02500x", "x", "x010000", "y"} {
		at, _ := slices.BinarySearch(keys, from)
		var got []string
		for key, value := range e.from([]byte(from)) {
			if string(value) != want[string(key)] {
				t.Errorf("value of %s = %q, want %q", key, value, want[string(key)])
			}
			got = append(got, string(key))
		}
		if !slices.Equal(got, keys[at:]) {
			t.Errorf("from(%q) = %d keys, want %d in order", from, len(got), len(keys)-at)
		}
	}
	for _, chunk := range e.chunks {
		if len(chunk) == 0 || len(chunk) > maxChunk {
			t.Errorf("a chunk has %d entries, want 1 to %d", len(chunk), maxChunk)
		}
	}
	for _, key := range keys {
		if _, present := e.remove([]byte(key)); !present {
			t.Fatalf("remove(%s) found no entry", key)
		}
	}
	if len(e.chunks) != 0 {
		t.Errorf("%d chunks are left of an empty map, want none", len(e.chunks))
	}
}

var errRefused = errors.New("refused")

func TestFailedTransactionIsUndone(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errRefused },
		"panic": func() error { panic("in a step") },
	} {
		e := newEngine()
		put := func(t kv.Tx, key, value string) error { return t.Put([]byte(key), []byte(value)) }
		dump := func() (text string) {
			for key, value := range e.entries.from(nil) {
				text += string(key) + "=" + string(value) + " "
			}
			return text
		}
		err := e.Update(t.Context(), func(t kv.Tx) error { return errors.Join(put(t, "a", "1"), put(t, "b", "2")) })
		if err != nil {
			t.Fatalf("Update = %v", err)
		}
		err = e.Update(t.Context(), func(t kv.Tx) error {
			err := errors.Join(
				put(t, "a", "3"), put(t, "a", "4"), put(t, "c", "5"), t.Delete([]byte("c")), put(t, "c", "6"),
				t.Delete([]byte("b")), t.Delete([]byte("absent")),
			)
			return errors.Join(err, fail())
		})
		if err == nil {
			t.Errorf("%s: Update = nil, want an error", name)
		}
		if got, want := dump(), "a=1 b=2 "; got != want {
			t.Errorf("%s: entries after a failed transaction = %q, want %q", name, got, want)
		}
	}
}

// A key that a step reuses as a buffer must not change what is stored.
func TestKeysAreCopied(t *testing.T) {
	e := newEngine()
	err := e.Update(t.Context(), func(t kv.Tx) error {
		key := []byte("a")
		err := t.Put(key, nil)
		key[0] = 'z'
		return err
	})
	for key := range e.entries.from(nil) {
		if err != nil || !bytes.Equal(key, []byte("a")) {
			t.Errorf("stored key = %q, error %v, want a", key, err)
		}
	}
}

// A caller whose context ends does not wait for the transaction of another one.
func TestContextEndsTheWait(t *testing.T) {
	e := newEngine()
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- e.Update(t.Context(), func(kv.Tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error)
	go func() { waited <- e.Update(ctx, func(kv.Tx) error { return nil }) }()
	cancel()
	if err := <-waited; !errors.Is(err, context.Canceled) || !errors.Is(err, authcore.ErrUnavailable) {
		t.Errorf("Update with an ended context = %v, want ErrUnavailable and context.Canceled", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("Update that held the lock = %v, want nil", err)
	}
}

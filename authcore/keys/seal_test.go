package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

func TestSeal(t *testing.T) {
	for _, algorithm := range Algorithms() {
		n := newNode(&keyStore{}, algorithm).at(t, start)
		for _, plaintext := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("state "), 200)} {
			text, err := n.Seal("state", plaintext)
			if err != nil {
				t.Fatalf("%s: Seal: %v", algorithm, err)
			}
			opened, err := n.Open("state", text)
			if err != nil || !bytes.Equal(opened, plaintext) {
				t.Errorf("%s: Open(Seal(%q)) = %q, %v", algorithm, plaintext, opened, err)
			}
			if excess := len(text) - base64.RawURLEncoding.EncodedLen(len(plaintext)); excess > 43 {
				t.Errorf("%s: the text is %d characters longer, want 43 at most", algorithm, excess)
			}
		}
		a, _ := n.Seal("state", []byte("x"))
		if b, _ := n.Seal("state", []byte("x")); a == b {
			t.Errorf("%s: two texts of one value are equal", algorithm)
		}
	}
}

// A sealed text opens in its realm, for its purpose and unchanged, or not at all
// (CWE-345).
func TestOpenRefuses(t *testing.T) {
	n := newNode(&keyStore{}, gate.EdDSA).at(t, start)
	other := newNode(&keyStore{}, gate.EdDSA).at(t, start)
	text, err := n.Seal("state", []byte("client web"))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another purpose":  func() ([]byte, error) { return n.Open("link", text) },
		"an empty purpose": func() ([]byte, error) { return n.Open("", text) },
		"another realm":    func() ([]byte, error) { return other.Open("state", text) },
		"no text":          func() ([]byte, error) { return n.Open("state", "") },
		"padding":          func() ([]byte, error) { return n.Open("state", text+"=") },
		"a line break":     func() ([]byte, error) { return n.Open("state", text+"\n") },
		"standard base64":  func() ([]byte, error) { return n.Open("state", text[:8]+"+/"+text[10:]) },
		"a longer text":    func() ([]byte, error) { return n.Open("state", text+"AAAA") },
		"a huge text":      func() ([]byte, error) { return n.Open("state", strings.Repeat("A", 1<<20)) },
	} {
		if plaintext, err := open(); !errors.Is(err, ErrNotSealed) {
			t.Errorf("%s: Open = %q, %v, want ErrNotSealed", name, plaintext, err)
		}
	}
	for i := range len(text) {
		if _, err := n.Open("state", text[:i]); !errors.Is(err, ErrNotSealed) {
			t.Errorf("Open of the first %d characters: error is %v, want ErrNotSealed", i, err)
		}
	}
	sealed, _ := base64.RawURLEncoding.DecodeString(text)
	for i := range len(sealed) * 8 {
		changed := bytes.Clone(sealed)
		changed[i/8] ^= 1 << (i % 8)
		if _, err := n.Open("state", base64.RawURLEncoding.EncodeToString(changed)); !errors.Is(err, ErrNotSealed) {
			t.Errorf("Open with bit %d changed: error is %v, want ErrNotSealed", i, err)
		}
	}
}

// A text opens on every node, also after a rotation, until its key is gone.
func TestSealedTextsOutliveARotation(t *testing.T) {
	store := &keyStore{}
	n, other := newNode(store, gate.EdDSA).at(t, start), newNode(store, gate.EdDSA).at(t, start)
	text, err := n.Seal("state", []byte("x"))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	if err := other.Rotate(t.Context(), start.Add(2*day)); err != nil {
		t.Fatalf("Rotate: %v", err)
	}
	if _, err := other.Open("state", text); err != nil {
		t.Errorf("Open after a rotation: %v", err)
	}
	other.at(t, start.Add(30*day))
	if _, err := other.Open("state", text); !errors.Is(err, ErrNotSealed) {
		t.Errorf("Open after the key has expired: error is %v, want ErrNotSealed", err)
	}
	if err := n.Revoke(t.Context(), n.signs(t, start), start); err == nil {
		t.Error("Revoke of an expired key succeeded")
	}
}

func TestSealedTextsEndWithTheirKey(t *testing.T) {
	n := newNode(&keyStore{}, gate.EdDSA).at(t, start)
	text, err := n.Seal("state", []byte("x"))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	if err := n.Revoke(t.Context(), n.signs(t, start), start); err != nil {
		t.Fatalf("Revoke: %v", err)
	}
	if _, err := n.Open("state", text); !errors.Is(err, ErrNotSealed) {
		t.Errorf("Open after the key was revoked: error is %v, want ErrNotSealed", err)
	}
}

func FuzzOpen(f *testing.F) {
	ring := New(Config{Store: &keyStore{}, Algorithm: gate.EdDSA, Rotation: rotation, Lifetime: lifetime})
	if err := ring.Maintain(f.Context(), start); err != nil {
		f.Fatal(err)
	}
	sealed := map[string]string{}
	for _, plaintext := range []string{"", "x", strings.Repeat("long ", 100)} {
		text, err := ring.Seal("state", []byte(plaintext))
		if err != nil {
			f.Fatal(err)
		}
		sealed[text] = plaintext
		f.Add(text)
		f.Add(text[1:])
		f.Add(text + "A")
	}
	f.Fuzz(func(t *testing.T, text string) {
		plaintext, err := ring.Open("state", text)
		if want, genuine := sealed[text]; genuine && (err != nil || string(plaintext) != want) {
			t.Errorf("Open of a genuine text = %q, %v, want %q", plaintext, err, want)
		} else if !genuine && !errors.Is(err, ErrNotSealed) {
			t.Errorf("Open(%q) = %q, %v, want ErrNotSealed", text, plaintext, err)
		}
	})
}

package login

import (
	"bytes"
	"testing"
	"time"
)

func TestStateCodec(t *testing.T) {
	for _, want := range []state{
		{expires: time.Unix(1_900_000_000, 0)},
		{
			expires: time.Unix(1_900_000_000, 0), client: clientDigest("web"), provider: providerDigest("github"), redirectURI: redirectDigest("https://a.example/"),
			formPost: true, link: true, user: userDigest("id"), seed: [seedLength]byte{1, 31: 2},
		},
	} {
		got, ok := decodeState(want.encode())
		if !ok || got != want {
			t.Errorf("decodeState(encode(%+v)) = %+v, %t", want, got, ok)
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, stateLength))
	f.Add((&state{expires: time.Unix(1, 0), formPost: true, link: true}).encode())
	f.Fuzz(func(t *testing.T, text []byte) {
		decoded, ok := decodeState(text)
		if ok && !bytes.Equal(decoded.encode(), text) {
			t.Errorf("encode(decodeState(%x)) = %x", text, decoded.encode())
		}
	})
}

// Digests of different names, and the values of one seed, are different.
func TestStateDerivations(t *testing.T) {
	one := state{}
	values := map[string]string{
		"nonce": one.nonce(), "verifier": one.verifier(), "used": one.usedKey().Key, "user": one.userKey().Key,
	}
	seen := map[string]string{}
	for name, value := range values {
		if len(value) != 43 || seen[value] != "" {
			t.Errorf("%s = %s, want 43 characters that differ from %s", name, value, seen[value])
		}
		seen[value] = name
	}
	if clientDigest("x") == providerDigest("x") || clientDigest("x") == redirectDigest("x") {
		t.Error("digests of a client, a provider and a redirect URI are equal")
	}
}

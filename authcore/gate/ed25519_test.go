package gate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"filippo.io/edwards25519"
)

// groupOrder is the order of the base point (RFC 8032, section 5.1).
const groupOrder = "7237005577332262213973186563042994240857116359379907606001950938285454250989"

// testEd25519 returns a key made from a seed, and its verifier.
func testEd25519(t testing.TB, seed byte) (ed25519.PrivateKey, *ed25519Verifier) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	public, point, err := ed25519Key(private.Public())
	if err != nil {
		t.Fatalf("ed25519Key = %v", err)
	}
	return private, newEd25519Verifier(public, point)
}

// agree fails the test unless the verifier and the standard library have the same
// result, and returns it.
func agree(t testing.TB, v *ed25519Verifier, message string, signature []byte) bool {
	t.Helper()
	got, want := v.verify(message, signature), false
	if len(signature) == ed25519.SignatureSize { // it panics for other lengths
		want = ed25519.Verify(v.public, []byte(message), signature)
	}
	if got != want {
		t.Errorf("key %x, message %x, signature %x: verify = %t, want %t as the standard library", []byte(v.public), message, signature, got, want)
	}
	return got
}

// The vectors TEST 1, TEST 2 and TEST 3 of RFC 8032, section 7.1.
func TestEd25519Vectors(t *testing.T) {
	for _, test := range []struct{ public, message, signature string }{
		{
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		},
		{
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		},
		{
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		},
	} {
		public, point, err := ed25519Key(ed25519.PublicKey(unhex(t, test.public)))
		if err != nil {
			t.Fatalf("ed25519Key = %v", err)
		}
		if !agree(t, newEd25519Verifier(public, point), string(unhex(t, test.message)), unhex(t, test.signature)) {
			t.Errorf("verify with key %s = false, want true", test.public)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatalf("hex.DecodeString = %v", err)
	}
	return data
}

// The results for valid and altered signatures are those of the standard library, for
// short messages and for those that exceed the buffer.
func TestEd25519AgreesWithStandardLibrary(t *testing.T) {
	for seed := range byte(8) {
		private, v := testEd25519(t, seed)
		for _, length := range []int{0, 1, 500, 959, 960, 961, MaxToken} {
			message := string(bytes.Repeat([]byte{seed + 1}, length))
			signature := ed25519.Sign(private, []byte(message))
			if !agree(t, v, message, signature) {
				t.Errorf("seed %d, length %d: verify = false for a valid signature, want true", seed, length)
			}
			if agree(t, v, message+"x", signature) {
				t.Errorf("seed %d, length %d: verify = true for another message, want false", seed, length)
			}
			for bit := 0; bit < 8*len(signature); bit += 7 {
				altered := bytes.Clone(signature)
				altered[bit/8] ^= 1 << (bit % 8)
				if agree(t, v, message, altered) {
					t.Errorf("seed %d, length %d: verify = true with bit %d inverted, want false", seed, length, bit)
				}
			}
		}
	}
}

// CWE-347: a signature (R, s) also satisfies the equation as (R, s+L), and with R in
// another encoding. A client could make a second token of one that was signed (RFC
// 8032, section 8.4).
func TestEd25519SignaturesHaveOneForm(t *testing.T) {
	private, v := testEd25519(t, 1)
	signature := ed25519.Sign(private, []byte("message"))
	order, ok := new(big.Int).SetString(groupOrder, 10)
	if !ok {
		t.Fatal("the order of the group is not a number")
	}
	s := bytes.Clone(signature[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	if agree(t, v, "message", append(bytes.Clone(signature[:32]), sum...)) {
		t.Error("verify = true for s+L, want false")
	}
	for _, wrong := range [][]byte{nil, signature[:63], append(bytes.Clone(signature), 0)} {
		if agree(t, v, "message", wrong) {
			t.Errorf("verify = true for a signature of %d bytes, want false", len(wrong))
		}
	}
	// The neutral element as R, in its own encoding and in one with y+p.
	for _, r := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0100000000000000000000000000000000000000000000000000000000000080",
	} {
		if agree(t, v, "message", append(unhex(t, r), make([]byte, 32)...)) {
			t.Errorf("verify = true for R %s and s 0, want false", r)
		}
	}
}

// Verifiers that use the cofactor and those that do not disagree about signatures of a
// key with a component of order 8. This one agrees with the standard library.
func TestEd25519AgreesOnMixedOrder(t *testing.T) {
	torsion, err := new(edwards25519.Point).SetBytes(unhex(t, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
	if err != nil {
		t.Fatalf("decoding a point or scalar failed: %v", err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range 64 {
		a, r := randomScalar(t, random), randomScalar(t, random)
		point := new(edwards25519.Point).ScalarBaseMult(a)
		point.Add(point, torsion)
		public, point, err := ed25519Key(ed25519.PublicKey(point.Bytes()))
		if err != nil {
			t.Fatalf("ed25519Key = %v", err)
		}
		commitment := new(edwards25519.Point).ScalarBaseMult(r).Bytes()
		hash := sha512.Sum512(append(append(bytes.Clone(commitment), public...), "message"...))
		k, err := new(edwards25519.Scalar).SetUniformBytes(hash[:])
		if err != nil {
			t.Fatalf("decoding a point or scalar failed: %v", err)
		}
		s := new(edwards25519.Scalar).MultiplyAdd(k, a, r)
		if agree(t, newEd25519Verifier(public, point), "message", append(commitment, s.Bytes()...)) {
			taken++
		}
	}
	if taken == 0 || taken == 64 {
		t.Errorf("verify = true for %d of 64 signatures, want some and not all", taken)
	}
}

func randomScalar(t *testing.T, random *rand.Rand) *edwards25519.Scalar {
	t.Helper()
	var uniform [64]byte
	for i := range uniform {
		uniform[i] = byte(random.Uint32())
	}
	s, err := new(edwards25519.Scalar).SetUniformBytes(uniform[:])
	if err != nil {
		t.Fatalf("decoding a point or scalar failed: %v", err)
	}
	return s
}

// The digits of a scalar represent the scalar, also the greatest one.
func TestDigits(t *testing.T) {
	order, _ := new(big.Int).SetString(groupOrder, 10)
	random := rand.New(rand.NewPCG(3, 4))
	greatest := new(big.Int).Sub(order, big.NewInt(1)).FillBytes(make([]byte, 32))
	slices.Reverse(greatest)
	last, err := new(edwards25519.Scalar).SetCanonicalBytes(greatest)
	if err != nil {
		t.Fatalf("decoding a point or scalar failed: %v", err)
	}
	scalars := []*edwards25519.Scalar{edwards25519.NewScalar(), last}
	for range 1000 {
		scalars = append(scalars, randomScalar(t, random))
	}
	for _, scalar := range scalars {
		got := new(big.Int)
		list := digits(scalar)
		for i := len(list) - 1; i >= 0; i-- {
			if list[i] > windowHalf || list[i] <= -windowHalf {
				t.Fatalf("digit %d is out of range", list[i])
			}
			got.Add(got.Lsh(got, windowBits), big.NewInt(int64(list[i])))
		}
		want := scalar.Bytes()
		slices.Reverse(want)
		if got.Cmp(new(big.Int).SetBytes(want)) != 0 {
			t.Fatalf("digits(%x) make %x", want, got)
		}
	}
}

// A key that is not a point of the curve is refused when it is configured, not with the
// first token.
func TestEd25519KeyOffTheCurve(t *testing.T) {
	off := unhex(t, "0200000000000000000000000000000000000000000000000000000000000000")
	if _, err := NewKeySet(Key{ID: "k", Algorithm: EdDSA, Public: ed25519.PublicKey(off)}); err == nil {
		t.Error("NewKeySet accepted a key that is not a point of the curve")
	}
}

// FuzzEd25519 compares the verifier with the standard library.
func FuzzEd25519(f *testing.F) {
	private, _ := testEd25519(f, 0)
	f.Add([]byte(private.Public().(ed25519.PublicKey)), "message", ed25519.Sign(private, []byte("message")))
	f.Add(make([]byte, 32), "", make([]byte, 64))
	f.Fuzz(func(t *testing.T, public []byte, message string, signature []byte) {
		key, point, err := ed25519Key(ed25519.PublicKey(public))
		if err != nil {
			return
		}
		agree(t, newEd25519Verifier(key, point), message, signature)
	})
}

// The tables of a thousand keys would take 440 MB if each had one of the base point.
func TestEd25519KeysShareTheBaseTable(t *testing.T) {
	first, second := baseMultiples(), baseMultiples()
	if first != second {
		t.Errorf("baseMultiples() = %p and %p, want one table", first, second)
	}
	_, v := testEd25519(t, 1)
	if size := int(reflect.TypeOf(*v.negative).Size()); size > 230<<10 {
		t.Errorf("the table of a key has %d bytes, want 220 kB", size)
	}
}

// BenchmarkEd25519 compares one verification with the standard library, for a token
// of common length, a valid and a forged one.
func BenchmarkEd25519(b *testing.B) {
	private, v := testEd25519(b, 1)
	input, _, _ := strings.Cut(testSigners()[EdDSA].sign(testClaims()), ".x")
	input = input[:strings.LastIndexByte(input, '.')]
	good := ed25519.Sign(private, []byte(input))
	forged := bytes.Clone(good)
	forged[0] ^= 1
	message := []byte(input)
	for name, signature := range map[string][]byte{"valid": good, "forged": forged} {
		b.Run(name+"/tables", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v.verify(input, signature) != (name == "valid") {
					b.Fatal("the result of the verification is wrong")
				}
			}
		})
		b.Run(name+"/standard", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ed25519.Verify(v.public, message, signature) != (name == "valid") {
					b.Fatal("the result of the verification is wrong")
				}
			}
		})
	}
	b.Run("table", func(b *testing.B) {
		_, point, err := ed25519Key(v.public)
		if err != nil {
			b.Fatalf("ed25519Key = %v", err)
		}
		for b.Loop() {
			newEd25519Verifier(v.public, point)
		}
	})
}

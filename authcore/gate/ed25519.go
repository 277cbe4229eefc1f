package gate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"sync"

	"filippo.io/edwards25519"
)

// ed25519Verifier verifies the signatures of one key exactly as crypto/ed25519 does
// (RFC 8032, section 5.1.7, without the cofactor), in less than half of the time; the
// package comment has the figures.
//
// A signature needs the sum of a multiple of the base point and one of the key's
// point. The standard library meets each key once and computes both bit by bit. A
// gate meets few keys and each of them millions of times, so it keeps tables that
// leave some dozens of points to add. Nothing here is secret, and nothing takes
// constant time.
type ed25519Verifier struct {
	public ed25519.PublicKey
	// negative is the table of the key's point with its sign inverted.
	negative *multiples
}

// newEd25519Verifier makes the table of a key, 220 kB, in about half a millisecond.
// The point is that of the key.
func newEd25519Verifier(public ed25519.PublicKey, point *edwards25519.Point) *ed25519Verifier {
	return &ed25519Verifier{public: public, negative: newMultiples(new(edwards25519.Point).Negate(point))}
}

// baseMultiples returns the table of the base point, which all keys share. It is made
// with the first signature.
//
//nolint:gochecknoglobals // a constant that has to be computed
var baseMultiples = sync.OnceValue(func() *multiples { return newMultiples(edwards25519.NewGeneratorPoint()) })

// verify reports whether a signature over the message is the key's.
func (v *ed25519Verifier) verify(message string, signature []byte) bool {
	if len(signature) != ed25519.SignatureSize {
		return false
	}
	// A signature has one form: s is below the order of the group.
	s, err := new(edwards25519.Scalar).SetCanonicalBytes(signature[32:])
	if err != nil {
		return false
	}
	var buffer [1024]byte // on the stack, and rarely too small
	hashed := append(append(append(buffer[:0], signature[:32]...), v.public...), message...)
	sum := sha512.Sum512(hashed)
	k, err := new(edwards25519.Scalar).SetUniformBytes(sum[:])
	if err != nil {
		return false
	}
	// R = [s]B - [k]A. The encoding of R is compared, so that no other encoding of
	// the same point is accepted.
	r := edwards25519.NewIdentityPoint()
	baseMultiples().addTo(r, s)
	v.negative.addTo(r, k)
	return bytes.Equal(r.Bytes(), signature[:32])
}

// windowBits is the number of bits of a scalar for each point of a table. One more
// saves 12 of 86 additions and nearly doubles the tables, which have to stay in the
// processor's cache.
const windowBits = 6

const (
	// windowHalf is the greatest digit. Digits are signed, which halves a table.
	windowHalf = 1 << (windowBits - 1)
	// windows cover 253 bits and a carry.
	windows = (253 + 1 + windowBits - 1) / windowBits
)

// multiples holds, for each window i, the points [d·2^(6i)]P with d of 1 to 32.
type multiples [windows][windowHalf]edwards25519.Point

func newMultiples(p *edwards25519.Point) *multiples {
	m := new(multiples)
	unit := new(edwards25519.Point).Set(p)
	for i := range m {
		m[i][0].Set(unit)
		for d := 1; d < windowHalf; d++ {
			m[i][d].Add(&m[i][d-1], unit)
		}
		unit.Add(&m[i][windowHalf-1], &m[i][windowHalf-1])
	}
	return m
}

// addTo adds [scalar]P to sum.
func (m *multiples) addTo(sum *edwards25519.Point, scalar *edwards25519.Scalar) {
	for i, digit := range digits(scalar) {
		switch {
		case digit > 0:
			sum.Add(sum, &m[i][digit-1])
		case digit < 0:
			sum.Subtract(sum, &m[i][-digit-1])
		}
	}
}

// digits returns a scalar in digits of -31 to 32 to the base 64, the least
// significant one first.
func digits(scalar *edwards25519.Scalar) (list [windows]int) {
	var padded [34]byte // the last digit is read past the end
	copy(padded[:], scalar.Bytes())
	carry := 0
	for i := range list {
		at := windowBits * i
		pair := int(padded[at/8]) | int(padded[at/8+1])<<8
		digit := pair>>(at%8)&(1<<windowBits-1) + carry
		carry = 0
		if digit > windowHalf {
			digit, carry = digit-1<<windowBits, 1
		}
		list[i] = digit
	}
	return list
}

package gate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// verify reports whether the key made a signature over the signing input. It does not
// use golang-jwt, as the issuer does, because that imports crypto/x509 and with it
// package net.
func (k *verifyKey) verify(input string, signature []byte) bool {
	if k.ed25519 != nil {
		return k.ed25519().verify(input, signature)
	}
	message := []byte(input)
	switch public := k.Public.(type) {
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		r := new(big.Int).SetBytes(signature[:32])
		s := new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(public, sum[:], r, s)
	case *rsa.PublicKey:
		sum := sha256.Sum256(message)
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	case []byte:
		mac := hmac.New(sha256.New, public)
		mac.Write(message)
		return hmac.Equal(mac.Sum(nil), signature)
	}
	return false
}

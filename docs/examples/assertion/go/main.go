// Command assertion verifies the assertion on its standard input.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// newVerifier reads the keys of the edge. Call SetKeys again as Cache-Control requires.
func newVerifier(jwks, issuer, audience string) (*gate.Verifier, error) {
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(jwks)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	keys, err := gate.ParseJWKS(text)
	if err != nil {
		return nil, err
	}
	verifier := gate.NewVerifier(gate.VerifierConfig{
		Issuer: issuer, Audience: audience, Purpose: gate.PurposeAssertion,
	})
	verifier.SetKeys(keys)
	return verifier, nil
}

func main() {
	assertion, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<16))
	if err != nil || len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: assertion <jwks-url> <issuer> <audience>, with the assertion on standard input")
		os.Exit(2)
	}
	verifier, err := newVerifier(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	claims, err := verifier.Verify(strings.TrimSpace(string(assertion)), time.Now())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, claims.Subject)
}

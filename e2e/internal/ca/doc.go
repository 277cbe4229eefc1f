// Package ca is a certificate authority that lives as long as one test.
package ca

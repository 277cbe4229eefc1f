//go:build !unix

package caddymodule

// accessHint returns nothing: owners of files are not numbers here.
func accessHint(error, string) string { return "" }

// writableFolder does not check: rights are not bits here.
func writableFolder(string) error { return nil }

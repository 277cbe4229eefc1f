// Command cover prints the statement coverage of each package from a profile of
// `go test -coverprofile`, and fails if a package does not reach a required
// percentage:
//
//	cover -min 85 -of authcore,storage,caddymodule -without storage/storagetest coverage.out
//
// Folders are relative to the module and include everything below them.
package main

// Command release builds everything that a release contains, in a directory:
//
//	release [-out dist/release] [-platforms "linux/amd64 darwin/arm64"] [-check]
//
// Its working directory must be the project.
//
// The files are archives of the server with the software bill of materials of each,
// Debian packages, the gate as a WebAssembly module, npm packages, and SHA256SUMS.
// release-notes.md, next to the directory, is the part of CHANGELOG.md about the version.
//
// A commit always gives the same bytes with the same Go and npm: paths are trimmed and
// all times are that of the commit. -check builds twice, compares, and verifies the files.
package main

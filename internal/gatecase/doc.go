// Package gatecase contains the table of HTTP cases in testdata/gate, which every host
// of the gate has to answer alike. It reads and checks the table, makes its tokens from
// the test keys, sends a case over HTTP and compares the results. Only tests use it,
// also those of nested modules. testdata/gate/README.md documents the files.
package gatecase

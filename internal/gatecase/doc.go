// Package gatecase is the table of HTTP cases in testdata/gate, which everything
// that runs the gate has to answer alike. It reads and checks the table, makes
// its tokens from the test keys, sends a case over HTTP and compares what came of
// it. Only tests use it, those of nested modules too. testdata/gate/README.md says
// what the files hold.
package gatecase

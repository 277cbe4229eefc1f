// Package tcpproxy forwards the connections of two processes and breaks them: it
// delays, freezes, cuts or refuses connections, suppresses the answers of some, and
// forwards everything again.
//
// It does not depend on the protocol.
package tcpproxy

// Package applications runs web applications of other projects, to put them behind the
// gate: Radicale, Prometheus and Django from Debian, Node-RED, Verdaccio and MailDev
// from npm. Each runs as it does for its users, with data in a folder of the test and
// on a loopback port.
package applications

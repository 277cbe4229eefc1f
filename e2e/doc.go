// Package e2e tests the built server from the outside: a child process with a
// Caddyfile, a data directory and environment variables, real HTTP and raw TCP
// connections, a real SMTP server, a real OpenID provider, and a real browser.
//
// It owns no knowledge of the code: nothing of the other module is imported but
// what runs PostgreSQL and Redis for tests, so that whatever passes here holds for
// everybody else, too. The folders under internal are the parts around the server.
//
//	test ─▶ site ─▶ edge.Edge (child process) ─▶ smtpd, openid, faulty, upstream
//	          └───▶ secrets.Set: everything secret that was seen on the way; at
//	                the end the child's log and configuration must hold none of it
//
//	pair of sites ─▶ tcpproxy ─▶ PostgreSQL or Redis, which are paused, killed,
//	                 filled up, cut off, while storeLoad logs people in and out
//
// Environment: FAULTS=full lets faults of the store last as long as outages do,
// E2E_RACE=1 builds the server with the race detector, CI=true turns
// skipped tests into failures, ARTIFACTS is where screenshots go, CHROMIUM names
// the browser.
package e2e

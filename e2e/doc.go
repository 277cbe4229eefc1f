// Package e2e tests the built server from the outside: a child process with a
// Caddyfile, a data directory and environment variables, real HTTP and raw TCP
// connections, a real SMTP server, a real OpenID provider, and a real browser.
//
// The tests use the HTTP contract only. Of the other module they import the packages
// that run processes, PostgreSQL and Redis. The folders under internal contain the
// systems around the server.
//
//	test ─▶ site ─▶ edge.Edge (child process) ─▶ smtpd, openid, faulty, upstream
//	          └───▶ secrets.Set: all secrets of the test; at the end the log and
//	                the configuration of the child must contain none of them
//
//	pair of sites ─▶ tcpproxy ─▶ PostgreSQL or Redis, which are paused, killed,
//	                 filled up, cut off, while storeLoad logs users in and out
//
// Environment variables:
//
//	FAULTS=full   faults of the store last 12 seconds instead of 2 to 6
//	E2E_RACE=1    the server is built with the race detector
//	CI=true       a missing tool fails a test instead of skipping it
//	ARTIFACTS     folder for screenshots
//	CHROMIUM      path of the browser
package e2e

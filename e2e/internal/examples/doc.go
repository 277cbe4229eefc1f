// Package examples runs the example applications of the client, and small servers on the
// helpers for Node.js, Django and FastAPI.
package examples

// Package frontend serves the plain example of the client for browsers on an origin of
// its own, and a page with the custom elements.
package frontend

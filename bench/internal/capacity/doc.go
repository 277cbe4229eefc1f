// Package capacity estimates what an installation needs, and measures the constants of
// the estimate. docs/capacity.json has the constants; docs/capacity.js computes the same
// estimate in a browser.
package capacity

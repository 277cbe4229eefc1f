// Package sessiontest runs sessions on a storage engine: with the keys, the gate
// and the revocations of a realm, but without HTTP.
package sessiontest

// Package jsonobject decodes JSON bodies strictly. encoding/json uses the last of several
// members of one name and ignores the case of names, so that a proxy, a log and the server
// may read different values from one body.
package jsonobject

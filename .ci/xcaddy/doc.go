// Command xcaddy builds Caddy from xcaddy.json. It calls xcaddy, which must be
// installed:
//
//	xcaddy -output bin/caddy xcaddy.json
//
// The file has the form of xcaddy's Builder type, which the command line of xcaddy
// does not read.
package main

// Command edgeauth is Caddy with its standard modules and those of edgeauth.
package main

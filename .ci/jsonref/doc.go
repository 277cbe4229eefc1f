// Command jsonref prints the JSON configuration of this module as a Markdown page: one
// section for each Caddy module and each type that their options use, from the doc
// comments of package caddymodule. It needs no flags and reads the package from the
// directory that its argument names.
package main

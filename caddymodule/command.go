package caddymodule

import (
	"github.com/spf13/cobra"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "edgeauth",
		Usage: "<command>",
		Short: "Login at the edge: proxy without a Caddyfile, check the configuration, manage users, move the storage",
		Long: `
Login by mailed link or social provider in front of your application.

  check   tries the stores, mail servers and providers of a configuration
  proxy   puts login and token check in front of an upstream, without a Caddyfile
  user    shows, disables, enables, deletes or imports users of the running server
  keys    lists, rotates or revokes signing keys of the running server
  mail    writes samples of all mails to a directory
  migrate moves users, sessions and keys to another storage`,
		CobraFunc: func(cmd *cobra.Command) {
			cmd.AddCommand(checkCommand(), proxyCommand(), userCommand(), keysCommand(), mailCommand(), migrateCommand())
		},
	})
}

package caddymodule

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/edgeauth/edgeauth/caddymodule/command"
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
  user    lists, shows, creates, invites, changes or imports users of the running server
  invitation lists and withdraws invitations
  keys    lists, rotates or revokes signing keys of the running server
  api-key lists, creates or revokes API keys of the running server
  audit   searches the audit trail of the running server
  webhook shows the state of webhooks, sends dead letters again
  backup  copies the storage bolt while the server runs
  mail    writes samples of all mails to a directory
  migrate moves users, sessions and keys to another storage
  version prints the versions of edgeauth, Caddy and Go`,
		CobraFunc: func(cmd *cobra.Command) {
			cmd.AddCommand(checkCommand(), proxyCommand(), migrateCommand())
			for _, own := range []*cobra.Command{command.User(adminEndpoint), command.Invitation(adminEndpoint), command.Keys(adminEndpoint), command.APIKey(adminEndpoint), command.Audit(adminEndpoint), command.Webhook(adminEndpoint), command.Backup(adminEndpoint), command.Mail(), command.Version()} {
				reportExit(own)
				cmd.AddCommand(own)
			}
		},
	})
}

// adminEndpoint finds the operators' API of the running server.
func adminEndpoint(address, config, adapter string) (command.Endpoint, error) {
	named, err := caddycmd.DetermineAdminAPIAddress(address, nil, config, adapter)
	if err != nil {
		return command.Endpoint{}, err
	}
	parsed, err := caddy.ParseNetworkAddress(named)
	if err != nil || parsed.PortRangeSize() > 1 {
		return command.Endpoint{}, fmt.Errorf("%q is not the address of an admin API; write for example localhost:2019", named)
	}
	dial := parsed.JoinHostPort(0)
	host, dialer := dial, net.Dialer{}
	if parsed.IsUnixNetwork() {
		dial, _, _ = strings.Cut(dial, "|") // the permissions of a socket are part of its address
		host = "127.0.0.1"
	}
	found := command.Endpoint{URL: "http://" + host + adminPath, Client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, parsed.Network, dial)
		},
		DisableKeepAlives: true,
	}}}
	if !parsed.IsUnixNetwork() { // on a socket, Caddy allows no origin unless it is configured
		found.Origin = "http://" + host
	}
	return found, nil
}

// reportExit prints the errors of a command and its sub-commands as sentences and sets
// the exit code. Caddy would log them.
func reportExit(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		reportExit(sub)
	}
	run := cmd.RunE
	if run == nil {
		return
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if err == nil {
			return nil
		}
		cmd.PrintErrln("Error:", err)
		cmd.SilenceErrors = true
		if code := command.ExitCode(err); code > 1 {
			exit := func(caddycmd.Flags) (int, error) { return code, nil }
			return caddycmd.WrapCommandFuncForCobra(exit)(cmd, args)
		}
		return err
	}
}

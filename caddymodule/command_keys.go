package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/edgeauth/edgeauth/authcore/keys"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys list|rotate|revoke [<id>|--all]",
		Short: "Lists, rotates or revokes signing keys of the running server",
		Long: `
Asks the admin API of the running server.

  list    prints the keys: former keys, the current key, and its published successor
  rotate  makes the successor sign now and publishes another one
  revoke  removes a key, or all keys with --all. All tokens that they signed end: on
          every node within 7 seconds, at other edges when they fetch the keys again.
          Users log in again; their accounts stay.`,
		Args: cobra.RangeArgs(1, 2),
	}
	addAdminFlags(cmd)
	cmd.Flags().Bool("all", false, "Revoke all present keys")
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
		client, err := newAdminClient(flags)
		if err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		if err := runKeys(os.Stdout, client, flags.Arg(0), flags.Arg(1), flags.Bool("all")); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		return caddy.ExitCodeSuccess, nil
	})
	return cmd
}

// addAdminFlags adds the flags that select a realm of the running server.
func addAdminFlags(cmd *cobra.Command) {
	cmd.PersistentFlags().String("realm", "", "Realm (default: the default realm)")
	cmd.PersistentFlags().String("address", "", "Address of the admin API (if --config is not used)")
	cmd.PersistentFlags().StringP("config", "c", "", "Configuration file (if --address is not used)")
	cmd.PersistentFlags().StringP("adapter", "a", "", "Name of config adapter to apply (if --config is used)")
}

// runKeys performs an operation and prints the keys after it.
func runKeys(out io.Writer, client adminClient, operation, id string, all bool) error {
	method, path := http.MethodGet, "keys"
	switch {
	case (id != "" || all) && operation != "revoke":
		return fmt.Errorf("%s: neither a key nor --all is expected", operation)
	case operation == "list":
	case operation == "rotate":
		method, path = http.MethodPost, "keys/rotate"
	case operation == "revoke" && all == (id != ""):
		return errors.New("revoke: name one key, or write --all")
	case operation == "revoke":
		method, path = http.MethodDelete, "keys"
		if !all {
			path += "/" + url.PathEscape(id)
		}
	default:
		return fmt.Errorf("%q is not one of list, rotate, revoke", operation)
	}
	answer, err := client.ask(method, path, nil)
	if err != nil {
		return err
	}
	var present struct {
		Keys []keys.Info `json:"keys"`
	}
	if err := json.Unmarshal(answer, &present); err != nil {
		return errors.New("unexpected response from the admin API")
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tALGORITHM\tSTATE\tSIGNS FROM\tREMOVED")
	for _, key := range present.Keys {
		removed := "-"
		if !key.Expires.IsZero() {
			removed = key.Expires.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", key.ID, key.Algorithm, key.State, key.Signs.Format(time.RFC3339), removed)
	}
	return table.Flush()
}

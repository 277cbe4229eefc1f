package command

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore/keys"
)

// Keys returns the command "keys" for the signing keys of a realm.
func Keys(connect Connect) *cobra.Command {
	return group(&cobra.Command{
		Use:   "keys list|rotate|revoke",
		Short: "Lists, rotates or revokes signing keys of the running server",
		Long: `
Asks the admin API of the running server. Each command prints the keys after it: former
keys, the current key, and its published successor.

Tables are for people; --json prints one JSON object per line for programs. The exit
status is 4 if there is no such key, and 1 after another error.`,
	}, &cobra.Command{
		Use: "list", Short: "Lists the signing keys", Args: cobra.NoArgs,
		RunE: connected(connect, func(ctx context.Context, s server, _ []string) error {
			return s.keys(ctx, http.MethodGet, "")
		}),
	}, &cobra.Command{
		Use: "rotate", Short: "Signs with the successor from now on and publishes another one", Args: cobra.NoArgs,
		RunE: connected(connect, func(ctx context.Context, s server, _ []string) error {
			return s.keys(ctx, http.MethodPost, "/rotate")
		}),
	}, keysRevoke(connect))
}

func keysRevoke(connect Connect) *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke <id>|--all", Short: "Removes a key; all tokens that it signed end", Args: arguments(0, 1),
		Long: `
Removes a key, or all keys with --all. All tokens that they signed end: on every node
within 7 seconds, at other edges when they fetch the keys again. Users log in again;
their accounts stay.`,
	}
	all := cmd.Flags().Bool("all", false, "Revoke all present keys")
	cmd.RunE = connected(connect, func(ctx context.Context, s server, args []string) error {
		switch {
		case *all == (len(args) == 1):
			return errors.New("revoke: name one key, or write --all")
		case *all:
			return s.keys(ctx, http.MethodDelete, "")
		default:
			return s.keys(ctx, http.MethodDelete, pathOf(args[0]))
		}
	})
	return lastIsID(cmd)
}

// keys performs an operation and prints the keys after it.
func (s server) keys(ctx context.Context, method, path string) error {
	var present adminapi.SigningKeys
	if err := s.ask(ctx, method, "/signing-keys"+path, nil, &present); err != nil {
		return err
	}
	return printAll(s, columns[keys.Info]{
		titles: []string{"KEY", "ALGORITHM", "STATE", "SIGNS FROM", "REMOVED"},
		cells: func(k keys.Info) []string {
			return []string{k.ID, k.Algorithm, string(k.State), moment(k.Signs), moment(k.Expires)}
		},
	}, present.Keys)
}

package caddymodule

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate --from <storage> --to <storage> [--realm <name>] [--dry-run]",
		Short: "Moves users, sessions and keys to another storage",
		Long: `
Copies users, linked logins, sessions, revocations and signing keys, and compares
the two in the end. Tokens stay valid, and revoked ones stay refused.

Stop every server that uses one of the two before, and point "storage" of your
configuration at the new one afterwards. The source is not changed.

A storage is written as in the Caddyfile after "storage", or as its name, a colon and
its argument. Values may hold placeholders such as {env.EDGEAUTH_DB}, so that no
secret shows in the list of processes:

  bolt                            the default file in Caddy's data folder
  bolt:/var/lib/auth/edgeauth.db
  postgres://edge@db.example.com/edgeauth
  postgres:{env.EDGEAUTH_DB}
  redis:rediss://edge@cache.example.com:6380

A run that was interrupted is done again with the same command: it stores what is
missing. All that it needs to know is in the target.

  --realm takes the name of a realm; it may be repeated, and '' is the default
    one. Default: every realm that the source has.
  --dry-run counts what would be moved, and changes nothing.`,
		Example: `  caddy edgeauth migrate --from bolt --to postgres:{env.EDGEAUTH_DB} --dry-run`,
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	m := &migration{out: os.Stdout, clock: time.Now}
	flags.StringVar(&m.from, "from", "", "Storage to read")
	flags.StringVar(&m.to, "to", "", "Storage to write")
	flags.StringArrayVar(&m.realms, "realm", nil, "Realm to move (default: all)")
	flags.BoolVar(&m.dry, "dry-run", false, "Count and change nothing")
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		if err := m.run(ctx); err != nil {
			if context.Cause(ctx) != nil {
				err = fmt.Errorf("interrupted; run the same command again to continue: %w", err)
			}
			return caddy.ExitCodeFailedStartup, err
		}
		return caddy.ExitCodeSuccess, nil
	})
	return cmd
}

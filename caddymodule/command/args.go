package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

// arguments accepts between least and most arguments. Its errors contain the usage.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("an argument is missing; use: %s", cmd.UseLine())
		case len(args) > most:
			return fmt.Errorf("%q is one argument too many; use: %s", args[most], cmd.UseLine())
		}
		return nil
	}
}

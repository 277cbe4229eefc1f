package command

import (
	"fmt"
	"regexp"

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

// idLike matches an identifier in base64url that begins like a flag. Flags are shorter.
var idLike = regexp.MustCompile(`^-[A-Za-z0-9_-]{19,}$`)

// lastIsID makes a command accept an identifier as its last argument that begins with "-",
// as one of 64 does, without "--" before it.
func lastIsID(cmd *cobra.Command) *cobra.Command {
	check, run := cmd.Args, cmd.RunE
	cmd.DisableFlagParsing, cmd.Args = true, cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var ids, others []string
		for i, arg := range args {
			if arg == "--" {
				ids = append(ids, args[i+1:]...)
				break
			}
			if idLike.MatchString(arg) {
				ids = append(ids, arg)
			} else {
				others = append(others, arg)
			}
		}
		cmd.DisableFlagParsing = false
		if err := cmd.ParseFlags(append(append(others, "--"), ids...)); err != nil {
			return err
		}
		if help, err := cmd.Flags().GetBool("help"); err == nil && help {
			return cmd.Help()
		}
		args = cmd.Flags().Args()
		if err := check(cmd, args); err != nil {
			return err
		}
		return run(cmd, args)
	}
	return cmd
}

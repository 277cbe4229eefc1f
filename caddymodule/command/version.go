package command

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// stamped is the version of edgeauth in released binaries. Others have the version that
// Go recorded.
var stamped string //nolint:gochecknoglobals // the linker sets it

// Modules whose versions are reported.
const (
	ownModule   = "github.com/edgeauth/edgeauth"
	caddyModule = "github.com/caddyserver/caddy/v2"
)

// Version returns the command "version".
func Version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Prints the versions of edgeauth, Caddy and Go",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			return printVersions(cmd.OutOrStdout(), stamped, info)
		},
	}
}

// printVersions writes one line for each part.
func printVersions(out io.Writer, stamped string, info *debug.BuildInfo) error {
	if stamped == "" {
		stamped = moduleVersion(info, ownModule)
	}
	_, err := fmt.Fprintf(out, "edgeauth %s\nCaddy %s\nGo %s %s/%s\n",
		stamped, moduleVersion(info, caddyModule), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// moduleVersion returns the recorded version of a module of the binary, if it is known.
func moduleVersion(info *debug.BuildInfo, path string) string {
	const unknown = "(unknown)"
	if info == nil {
		return unknown
	}
	for _, module := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if module.Path != path {
			continue
		}
		if module.Replace != nil && module.Replace.Version != "" {
			module = module.Replace
		}
		if module.Version != "" {
			return module.Version
		}
	}
	return unknown
}

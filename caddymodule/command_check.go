package caddymodule

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [--config <path>] [--adapter <name>]",
		Short: "Tests everything that logins depend on",
		Long: `
Validates a configuration as "caddy validate" does, then tests, simultaneously and
for at most 15 seconds, every store, mail server and social provider in it. Reports
errors with their remedies, which redirect URIs to register at each provider, and
what is valid in the sites but probably a mistake. The exit status is not 0
after an error; warnings do not change it.

Nothing is changed and no mail is sent. It can run next to the server, as the same
user: a store file that the server has opened is not read.

  storage   bolt: reads the file, if no server has opened it
            postgres, redis: connects and queries; the schema stays as it is.
            Its clock, or that of each primary of a Redis Cluster, is compared
            with that of this machine: reported above 5 seconds, an error above a minute
  mailer    smtp: connects, STARTTLS, logs in, disconnects
            webhook: an OPTIONS request without the token
  provider  discovery, keys, and other endpoints that need no login; its clock
            is compared with that of this machine`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().StringP("config", "c", "", "Configuration file")
	cmd.Flags().StringP("adapter", "a", "", "Name of config adapter to apply")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		flags := caddycmd.Flags{FlagSet: cmd.Flags()}
		config, file, _, err := caddycmd.LoadConfig(flags.String("config"), flags.String("adapter"))
		if err != nil {
			return err
		}
		if file == "" {
			return errors.New("there is no Caddyfile in the current directory; name the configuration with --config")
		}
		cmd.SilenceUsage = true
		ctx, cancel := context.WithTimeout(cmd.Context(), checkTimeout)
		defer cancel()
		return runCheck(ctx, os.Stdout, config)
	}
	return cmd
}

// errWrong makes the check command exit with a status other than 0.
var errWrong = errors.New("the check found errors; see above")

// runCheck checks a configuration and prints what was found. All of it ends with
// ctx.
func runCheck(ctx context.Context, out io.Writer, config []byte) error {
	if err := validateWhole(config); err != nil {
		return err
	}
	app, err := provisionAlone(config)
	if err != nil {
		return err
	}
	defer func() { _ = app.Cleanup() }()
	var all []check
	for _, name := range app.names() {
		all = append(all, app.Realms[name].checks()...)
	}
	findings := runChecks(ctx, all)
	good := true
	for _, name := range app.names() {
		realm := app.Realms[name]
		mine := findings[:len(realm.checks())]
		findings = findings[len(mine):]
		good = printFindings(out, realm, mine) && good
		printRegistrations(out, realm.registrations(ctx))
	}
	if warnings := slices.Concat(siteWarnings(config, app), environWarnings(config, os.DirFS("/proc"))); len(warnings) > 0 {
		fmt.Fprintln(out, "warnings")
		for _, warning := range warnings {
			fmt.Fprintf(out, "  %s\n", warning)
		}
	}
	if !good {
		return errWrong
	}
	return nil
}

// provisionAlone provisions the app without the rest of the configuration: no
// site is served here, and no log file written.
func provisionAlone(config []byte) (*App, error) {
	var whole struct {
		Apps map[string]json.RawMessage `json:"apps"`
	}
	if err := json.Unmarshal(caddy.RemoveMetaFields(config), &whole); err != nil {
		return nil, fmt.Errorf("decoding the configuration: %w", err)
	}
	if whole.Apps[appName] == nil {
		return nil, errors.New("the configuration has no edgeauth; add the global option: edgeauth { client web {env.WEB_CLIENT_KEY} … }")
	}
	alone := &caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true},
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{caddy.DefaultLoggerName: {BaseLog: caddy.BaseLog{Level: "ERROR"}}}},
		AppsRaw: caddy.ModuleMap{appName: whole.Apps[appName]},
	}
	ctx, err := caddy.ProvisionContext(alone)
	if err != nil {
		return nil, err
	}
	app, err := loadedApp(ctx)
	if err != nil {
		return nil, err
	}
	if err := app.checkComplete(config); err != nil {
		return nil, errors.Join(err, app.Cleanup())
	}
	return app, nil
}

// checkComplete reports what a realm lacks unless a site of the configuration has a login
// page, which may add it.
func (a *App) checkComplete(config []byte) error {
	if bytes.Contains(config, []byte(`"login_page"`)) {
		return nil
	}
	var faults []error
	for _, name := range a.names() {
		faults = append(faults, a.Realms[name].config.Validate())
	}
	return errors.Join(faults...)
}

// printFindings prints what was found about a realm, and reports whether all is
// well.
func printFindings(out io.Writer, realm *Realm, findings []finding) bool {
	name := "default realm"
	if realm.name != "" {
		name = "realm " + realm.name
	}
	fmt.Fprintf(out, "%s\n", name)
	good := true
	for _, f := range findings {
		mark := "ok   "
		if f.wrong {
			mark, good = "WRONG", false
		}
		fmt.Fprintf(out, "  %s  %s: %s\n", mark, f.what, f.found)
		if f.advice != "" {
			fmt.Fprintf(out, "         → %s\n", f.advice)
		}
	}
	return good
}

func printRegistrations(out io.Writer, list []registration) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(out, "  redirect URIs to register:")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range list {
		whose := "the form_post callback of this server"
		if r.client != "" {
			whose = "client " + r.client
		}
		fmt.Fprintf(table, "    %s\t%s\t(%s)\n", r.provider, r.uri, whose)
	}
	_ = table.Flush()
}

package caddymodule

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/edgeauth/edgeauth/pages"
)

// proxyOptions are the flags of `caddy edgeauth proxy`.
type proxyOptions struct {
	from         string
	to           []string
	url          string
	title        string
	public       []string
	clientKey    string
	origins      []string
	redirectURIs []string
	emailLink    string
	mailer       string
	mailFrom     string
	providers    []string
	accessLog    bool
	debug        bool
}

func proxyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "proxy --to <addr> [--from <addr>] [--url <origin>] [--title <name>] [--public <path>] [--mailer <url>] [--provider <line>]",
		Short: "Puts a login page in front of an application",
		Long: `
Proxies to --to what arrives at --from, after people have signed in at the login
page, which is below /auth. Users and sessions are kept in Caddy's data folder.

Values may hold placeholders such as {env.SMTP_URL}, so that no secret shows in
the list of processes.

  --url is the origin that people see, for example https://app.example.com, if
    another proxy terminates TLS. Default: the address of --from.
  --title is the name of the application on the pages and in mails.
  --public takes paths that need no sign-in: /health, or a prefix /static/*. It may
    be repeated.
  --mailer is an SMTP URL such as smtp://user:password@mail.example.com:587, and
    --mail-from the sender. Without it, mails are written to the log.
  --provider takes what the Caddyfile has behind "provider", for example
    'github {env.GITHUB_ID} {env.GITHUB_SECRET}'. It may be repeated. Register
    /auth/callback/<name> at --url as its redirect URI.
  --client-key, --origin, --redirect-uri and --email-link are for a frontend of your
    own, which uses the login API below /v1/auth. --origin and --redirect-uri may be
    repeated. Default of the key: a random one, which is printed.
  --print prints the Caddyfile that does all this, and exits.`,
		Example: `  caddy edgeauth proxy --from :8080 --to localhost:9000 --public '/static/*'`,
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringP("from", "f", "localhost", "Address on which to receive traffic")
	flags.StringSliceP("to", "t", nil, "Upstream address(es) to which traffic is sent")
	flags.String("url", "", "Origin that people see")
	flags.String("title", "", "Name of the application")
	flags.StringArray("public", nil, "Path that needs no sign-in")
	flags.String("client-key", "", "Key that the frontend sends")
	flags.StringArray("origin", nil, "Origin of the frontend, for example https://frontend.app")
	flags.StringArray("redirect-uri", nil, "Address to which social providers return")
	flags.String("email-link", "", "Template of mailed links, with {token}")
	flags.String("mailer", "", "SMTP URL")
	flags.String("mail-from", "", "Sender of mails")
	flags.StringArray("provider", nil, "Social provider: name, client id and client secret")
	flags.Bool("access-log", false, "Enable the access log")
	flags.BoolP("debug", "v", false, "Enable verbose debug logs")
	flags.Bool("print", false, "Print the Caddyfile and exit")
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(runProxy)
	return cmd
}

func runProxy(flags caddycmd.Flags) (int, error) {
	options, err := readProxyFlags(flags)
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	source, err := options.caddyfile()
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if flags.Bool("print") {
		fmt.Print(source)
		return caddy.ExitCodeSuccess, nil
	}
	caddy.TrapSignals()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(source), map[string]any{"filename": "proxy"})
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if err := caddy.Load(config, true); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	fmt.Printf("edgeauth: open %s; %s is behind it\n", options.url, strings.Join(options.to, ", "))
	if options.clientKey != "" {
		fmt.Printf("edgeauth: the login API is below /v1/auth, the client key is %s\n", options.shownKey(flags.String("client-key")))
	}
	if options.mailer == "" {
		fmt.Println("edgeauth: without --mailer, mails with login links are written to this log; a reader of the log can log in as any user")
	}
	select {}
}

func readProxyFlags(flags caddycmd.Flags) (*proxyOptions, error) {
	options := &proxyOptions{
		from: flags.String("from"), url: flags.String("url"), title: flags.String("title"), clientKey: flags.String("client-key"), emailLink: flags.String("email-link"),
		mailer: flags.String("mailer"), mailFrom: flags.String("mail-from"),
		accessLog: flags.Bool("access-log"), debug: flags.Bool("debug"),
	}
	var err error
	if options.to, err = flags.GetStringSlice("to"); err != nil {
		return nil, err
	}
	for name, to := range map[string]*[]string{
		"public": &options.public, "origin": &options.origins, "redirect-uri": &options.redirectURIs, "provider": &options.providers,
	} {
		if *to, err = flags.GetStringArray(name); err != nil {
			return nil, err
		}
	}
	if err := options.complete(); err != nil {
		return nil, err
	}
	return options, nil
}

// complete checks the flags and fills in what was not given.
func (o *proxyOptions) complete() error {
	if len(o.to) == 0 {
		return fmt.Errorf("--to is required, for example: --to localhost:9000")
	}
	from, err := httpcaddyfile.ParseAddress(o.from)
	if err != nil {
		return fmt.Errorf("--from: invalid address %s: %w", o.from, err)
	}
	if from.Path != "" {
		return fmt.Errorf("--from: %s has a path, which is not allowed", o.from)
	}
	if o.mailer != "" && o.mailFrom == "" {
		return fmt.Errorf("--mail-from is required with --mailer, for example: --mail-from login@example.com")
	}
	if o.mailer == "" && o.mailFrom != "" {
		return fmt.Errorf("--mail-from needs --mailer")
	}
	if o.clientKey == "" && (len(o.origins) > 0 || len(o.redirectURIs) > 0 || o.emailLink != "") {
		o.clientKey = rand.Text()
	}
	if o.url == "" && strings.ContainsAny(from.Host, "*{}") {
		return fmt.Errorf("--url is required with --from %s, because people sign in at one host; for example: --url https://app.example.com", o.from)
	}
	if o.url == "" {
		o.url = publicOrigin(from)
	}
	if err := pages.CheckOrigin(o.url); err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	return nil
}

// publicOrigin returns the origin by which a browser reaches the proxy: on the
// internet if the address has a host, otherwise on this machine.
func publicOrigin(from httpcaddyfile.Address) string {
	scheme, host := from.Scheme, from.Host
	if host == "" {
		host = "localhost"
	}
	if strings.Contains(host, ":") {
		host = "[" + strings.Trim(host, "[]") + "]" // an IPv6 address
	}
	if scheme == "" {
		scheme = "https"
		if from.Port == "80" || from.Host == "" {
			scheme = "http"
		}
	}
	if from.Port == "" || scheme == "http" && from.Port == "80" || scheme == "https" && from.Port == "443" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + from.Port
}

// shownKey returns the client key in printable form. A key that was given is not
// printed.
func (o *proxyOptions) shownKey(given string) string {
	if given != "" {
		return "the one given"
	}
	return o.clientKey
}

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
	From         string
	To           []string
	URL          string
	Title        string
	Public       []string
	ClientKey    string
	Origins      []string
	RedirectURIs []string
	EmailLink    string
	Mailer       string
	MailFrom     string
	Providers    []string
	AccessLog    bool
	Debug        bool
	// Print prints the Caddyfile instead of serving.
	Print bool
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
	options := addProxyFlags(cmd)
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return options.run() })
	return cmd
}

// addProxyFlags returns the options into which the flags of the command are parsed.
func addProxyFlags(cmd *cobra.Command) *proxyOptions {
	o, flags := &proxyOptions{}, cmd.Flags()
	flags.StringVarP(&o.From, "from", "f", "localhost", "Address on which to receive traffic")
	flags.StringSliceVarP(&o.To, "to", "t", nil, "Upstream address(es) to which traffic is sent")
	flags.StringVar(&o.URL, "url", "", "Origin that people see")
	flags.StringVar(&o.Title, "title", "", "Name of the application")
	flags.StringArrayVar(&o.Public, "public", nil, "Path that needs no sign-in")
	flags.StringVar(&o.ClientKey, "client-key", "", "Key that the frontend sends")
	flags.StringArrayVar(&o.Origins, "origin", nil, "Origin of the frontend, for example https://frontend.app")
	flags.StringArrayVar(&o.RedirectURIs, "redirect-uri", nil, "Address to which social providers return")
	flags.StringVar(&o.EmailLink, "email-link", "", "Template of mailed links, with {token}")
	flags.StringVar(&o.Mailer, "mailer", "", "SMTP URL")
	flags.StringVar(&o.MailFrom, "mail-from", "", "Sender of mails")
	flags.StringArrayVar(&o.Providers, "provider", nil, "Social provider: name, client id and client secret")
	flags.BoolVar(&o.AccessLog, "access-log", false, "Enable the access log")
	flags.BoolVarP(&o.Debug, "debug", "v", false, "Enable verbose debug logs")
	flags.BoolVar(&o.Print, "print", false, "Print the Caddyfile and exit")
	return o
}

// run serves until the process ends. A client key that was given is not printed.
func (o *proxyOptions) run() (int, error) {
	isGiven := o.ClientKey != ""
	if err := o.complete(); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	source, err := o.caddyfile()
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if o.Print {
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
	fmt.Printf("edgeauth: open %s; %s is behind it\n", o.URL, strings.Join(o.To, ", "))
	if isGiven {
		fmt.Println("edgeauth: the login API is below /v1/auth, the client key is the one given")
	} else if o.ClientKey != "" {
		fmt.Printf("edgeauth: the login API is below /v1/auth, the client key is %s\n", o.ClientKey)
	}
	if o.Mailer == "" {
		fmt.Println("edgeauth: without --mailer, mails with login links are written to this log; a reader of the log can log in as any user")
	}
	select {}
}

// complete checks the flags and fills in what was not given.
func (o *proxyOptions) complete() error {
	if len(o.To) == 0 {
		return fmt.Errorf("--to is required, for example: --to localhost:9000")
	}
	from, err := httpcaddyfile.ParseAddress(o.From)
	if err != nil {
		return fmt.Errorf("--from: invalid address %s: %w", o.From, err)
	}
	if from.Path != "" {
		return fmt.Errorf("--from: %s has a path, which is not allowed", o.From)
	}
	if o.Mailer != "" && o.MailFrom == "" {
		return fmt.Errorf("--mail-from is required with --mailer, for example: --mail-from login@example.com")
	}
	if o.Mailer == "" && o.MailFrom != "" {
		return fmt.Errorf("--mail-from needs --mailer")
	}
	if o.ClientKey == "" && (len(o.Origins) > 0 || len(o.RedirectURIs) > 0 || o.EmailLink != "") {
		o.ClientKey = rand.Text()
	}
	if o.URL == "" && strings.ContainsAny(from.Host, "*{}") {
		return fmt.Errorf("--url is required with --from %s, because people sign in at one host; for example: --url https://app.example.com", o.From)
	}
	if o.URL == "" {
		o.URL = publicOrigin(from)
	}
	if err := pages.CheckOrigin(o.URL); err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	for _, line := range o.Providers {
		if n := len(strings.Fields(line)); n != 3 {
			return fmt.Errorf("--provider: expected name, client id and client secret, got %d words", n)
		}
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

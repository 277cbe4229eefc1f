package caddymodule

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// proxyCaddyfile is the configuration of `caddy edgeauth proxy`.
const proxyCaddyfile = `{
	admin off
	persist_config off
	grace_period 10s
{{- if .Debug}}
	debug
	log {
		format filter {
			fields {
				request>uri regexp "(/auth/link/|client_key=)[^/&]+" "${1}REDACTED"
				request>headers>Referer delete
				request>headers>X-Auth-Email delete
				request>headers>X-Auth-Name delete
				request>headers>X-Auth-Assertion delete
			}
		}
	}
{{- end}}
	edgeauth {
{{- if .ClientKey}}
		client proxy {{token .ClientKey}}
{{- if or .Origins .RedirectURIs}} {
{{- range .Origins}}
			origin {{token .}}
{{- end}}
{{- range .RedirectURIs}}
			redirect_uri {{token .}}
{{- end}}
		}
{{- end}}
{{- end}}
{{- if .EmailLink}}
		email_link {{token .EmailLink}}
{{- end}}
{{- if .Mailer}}
		mailer smtp {{token .Mailer}} {
			from {{token .MailFrom}}
		}
{{- else}}
		mailer log
{{- end}}
{{- range .Providers}}
		provider{{range .}} {{token .}}{{end}}
{{- end}}
	}
}

{{token .From}} {
{{- if .AccessLog}}
	log
{{- end}}
{{- if .ClientKey}}
	login_api
{{- end}}
	login_page {
		origin {{token .URL}}
{{- if .Title}}
		title {{token .Title}}
{{- end}}
	}
	token_auth
{{- if .Public}} {
		public{{range .Public}} {{token .}}{{end}}
	}
{{- end}}
	reverse_proxy{{range .To}} {{token .}}{{end}}
}
`

// caddyfile writes the configuration. Every value is one quoted token, so that
// no flag can add a directive.
func (o *proxyOptions) caddyfile() (string, error) {
	providers := make([][]string, 0, len(o.providers))
	for _, line := range o.providers {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return "", fmt.Errorf("--provider: expected name, client id and client secret, got %d words", len(fields))
		}
		providers = append(providers, fields)
	}
	page := template.Must(template.New("proxy").Funcs(template.FuncMap{"token": quoteToken}).Parse(proxyCaddyfile))
	var out bytes.Buffer
	err := page.Execute(&out, map[string]any{
		"From": o.from, "URL": o.url, "Title": o.title, "To": o.to, "Public": o.public, "ClientKey": o.clientKey, "Origins": o.origins,
		"RedirectURIs": o.redirectURIs, "EmailLink": o.emailLink, "Mailer": o.mailer, "MailFrom": o.mailFrom,
		"Providers": providers, "AccessLog": o.accessLog, "Debug": o.debug,
	})
	if err != nil {
		return "", err
	}
	return string(caddyfile.Format(out.Bytes())), nil
}

// quoteToken writes a value as one Caddyfile token: between backticks, where
// nothing has a meaning, unless it is plain.
func quoteToken(value string) (string, error) {
	plain := func(r rune) bool {
		return r == '{' || r == '}' || r > ' ' && r < 0x7f && !strings.ContainsRune("\"`#\\<$", r)
	}
	switch {
	case strings.ContainsAny(value, "`\r\n\x00") || !utf8.ValidString(value):
		return "", fmt.Errorf("a value contains a backtick or a line break, or is not UTF-8")
	case value == "" || value == "{" || value == "}" || strings.TrimFunc(value, plain) != "":
		return "`" + value + "`", nil
	default:
		return value, nil
	}
}

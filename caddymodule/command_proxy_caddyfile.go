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
		provider{{range words .}} {{token .}}{{end}}
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
	page := template.Must(template.New("proxy").Funcs(template.FuncMap{"token": quoteToken, "words": strings.Fields}).Parse(proxyCaddyfile))
	var out bytes.Buffer
	if err := page.Execute(&out, o); err != nil {
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

package gate

import "strings"

// The pages for people. They need no script and no further request: an edge has nothing
// to serve them from.

// pageContent is the content of a page.
type pageContent struct {
	language, title, text, link string
	// roles are listed after the text.
	roles []string
}

const (
	pageStyle = "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem;color-scheme:light dark;color:#1a1a1a;background:#fff}" +
		"h1{font-size:1.4rem}a{display:inline-block;padding:.6rem 1.2rem;border-radius:.4rem;background:#1a56db;color:#fff;text-decoration:none}" +
		"@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}}"
	// styleHash is the base64 of the SHA-256 of pageStyle (CSP Level 3, section 2.3.1).
	styleHash = "Ksx7otAbIekhQqAmFnRgsZVt0YMtpee2HRYW7r1ShbM="

	// framePolicy is for the page in a frame, pagePolicy for all others.
	framePolicy = "default-src 'none'; style-src 'sha256-" + styleHash + "'; base-uri 'none'; form-action 'none'"
	pagePolicy  = framePolicy + "; frame-ancestors 'none'"
)

// pageText returns a page with a link to an address, if it is not empty.
func pageText(c pageContent, address, target string) string {
	var b strings.Builder
	language, text := c.language, c.text
	if language == "ar" {
		language += `" dir="rtl`
	}
	for i, role := range c.roles { // their names need no escapes
		separator := ", "
		if i == 0 {
			separator = " "
		}
		text += separator + "<b>" + role + "</b>"
	}
	for _, part := range [...]string{
		`<!doctype html><html lang="`, language, `"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>`,
		c.title, `</title><style>`, pageStyle, `</style></head><body><main><h1>`, c.title, `</h1><p>`, text, `</p>`,
	} {
		b.WriteString(part)
	}
	if address != "" && c.link != "" {
		b.WriteString(`<p><a href="`)
		b.WriteString(escapeAttribute(address))
		if target != "" {
			b.WriteString(`" target="` + target + `" rel="noopener`)
		}
		b.WriteString(`">` + c.link + `</a></p>`)
	}
	b.WriteString("</main></body></html>\n")
	return b.String()
}

// escapeAttribute escapes a text for an attribute in double quotes (HTML, section 13.1.2.3).
func escapeAttribute(text string) string {
	return strings.NewReplacer("&", "&amp;", `"`, "&#34;", "<", "&lt;", ">", "&gt;").Replace(text)
}

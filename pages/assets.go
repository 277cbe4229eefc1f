package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"github.com/edgeauth/edgeauth/authcore"
)

// asset is a static file. Its name contains the digest of its content.
type asset struct {
	name, media string
	content     []byte
}

func newAsset(name, extension, media string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{name + "-" + hex.EncodeToString(sum[:6]) + extension, media, content}
}

// newStyle returns the style sheet: the built-in one and the theme.
func newStyle(theme []byte) asset {
	content, _ := embedded.ReadFile("assets/style.css")
	return newAsset("style", ".css", "text/css; charset=utf-8", append(content, theme...))
}

// newScript returns one of the scripts.
func newScript(name string) asset {
	content, _ := embedded.ReadFile("assets/" + name + ".js")
	return newAsset(name, ".js", "text/javascript; charset=utf-8", content)
}

// newLogo returns an image. Its type follows from the file name.
func newLogo(file string, content []byte) (asset, error) {
	types := map[string]string{
		".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	}
	extension := strings.ToLower(path.Ext(file))
	if types[extension] == "" {
		return asset{}, fmt.Errorf("logo: the type of %s is unknown; use an svg, png, webp, jpg or gif file", file)
	}
	return newAsset("logo", extension, types[extension], content), nil
}

// assetPath returns the path of an asset, or "" for the zero asset.
func (h *Handler) assetPath(a asset) string {
	if a.name == "" {
		return ""
	}
	return h.Prefix + "/assets/" + a.name
}

// asset serves a static file.
func (h *Handler) asset(r *request) error {
	for _, a := range []asset{h.style, h.script, h.printer, h.logo} {
		if r.param != a.name {
			continue
		}
		header := r.w.Header()
		header.Set("Content-Type", a.media)
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox") // an SVG file may contain scripts
		header.Del("Vary")
		_, _ = r.w.Write(a.content) // a client that is gone needs no answer
		return nil
	}
	return authcore.NotFound()
}

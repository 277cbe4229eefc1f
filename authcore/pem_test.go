package authcore

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"
)

func TestDecodePEM(t *testing.T) {
	want := bytes.Repeat([]byte("key"), 40)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: want}))
	for name, form := range map[string]string{
		"as written":           text,
		"without the last end": strings.TrimSpace(text),
		"with a mark":          "\uFEFF" + text,
		"of Windows":           strings.ReplaceAll(text, "\n", "\r\n"),
		"on one line":          strings.ReplaceAll(text, "\n", `\n`),
		"of Windows, one line": strings.ReplaceAll(text, "\n", `\r\n`),
		"indented":             "  \n\t" + text,
		"after a comment":      "Key of example.com\n" + text,
	} {
		if got := DecodePEM(form); !bytes.Equal(got, want) {
			t.Errorf("DecodePEM(text %s) = %d bytes, want %d", name, len(got), len(want))
		}
	}
	for _, other := range []string{"", "secret", "-----BEGIN PRIVATE KEY-----", strings.Replace(text, "END", "EN", 1)} {
		if got := DecodePEM(other); got != nil {
			t.Errorf("DecodePEM(%.30q) = %d bytes, want nil", other, len(got))
		}
	}
}

package authcore

import (
	"encoding/pem"
	"strings"
)

// DecodePEM returns the contents of the first block of a PEM file (RFC 7468), or nil. The
// text may begin with a byte order mark, and have the escape \n for its line ends, as keys
// in environment variables do.
func DecodePEM(text string) []byte {
	text = strings.TrimPrefix(strings.TrimSpace(text), "\uFEFF")
	block, _ := pem.Decode([]byte(strings.NewReplacer(`\r\n`, "\n", `\n`, "\n").Replace(text)))
	if block == nil {
		return nil
	}
	return block.Bytes
}

package factor

import (
	"fmt"
	"image"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quietZone is the margin that readers need, in modules (ISO/IEC 18004, section 9.1).
const quietZone = 4

// drawQR draws a QR code as an SVG image: dark on white in every color scheme, because
// many readers do not recognize inverted codes.
func drawQR(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.L, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("draw a QR code: %w", err)
	}
	width := code.Bounds().Dx()
	side := width + 2*quietZone
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, side, side)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0,0h%dv%dH0z"/><path stroke="#000" d="M%d,%d.5`, side, side, quietZone, quietZone)
	penX, penY := 0, 0 // lines run through the middle of a row
	for y := range width {
		for x := 0; x < width; x++ {
			run := 0
			for x+run < width && isDark(code, x+run, y) {
				run++
			}
			if run == 0 {
				continue
			}
			fmt.Fprintf(&b, "m%d,%dh%d", x-penX, y-penY, run)
			penX, penY = x+run, y
			x = penX
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String()), nil
}

func isDark(code image.Image, x, y int) bool {
	r, _, _, _ := code.At(x, y).RGBA()
	return r == 0
}

package factor

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// The drawing has the modules of the code, in a margin of four.
func TestDrawQR(t *testing.T) {
	const text = "otpauth://totp/Example:ann@example.com?algorithm=SHA1&digits=6&issuer=Example&period=30&secret=YBU7JYX6I55DV5KSQWIICXVBOZK5NABF"
	drawing, err := drawQR(text)
	if err != nil {
		t.Fatalf("drawQR() failed: %v", err)
	}
	code, err := qr.Encode(text, qr.L, qr.Unicode)
	if err != nil {
		t.Fatal(err)
	}
	width := code.Bounds().Dx()
	drawn := map[[2]int]bool{}
	x, y := 0, 0
	for _, step := range regexp.MustCompile(`m(-?\d+),(\d+)h(\d+)`).FindAllStringSubmatch(string(drawing), -1) {
		var right, down, run int
		_, _ = fmt.Sscan(step[1]+" "+step[2]+" "+step[3], &right, &down, &run) // digits
		x, y = x+right, y+down
		for ; run > 0; run-- {
			drawn[[2]int{x, y}] = true
			x++
		}
	}
	for y := range width {
		for x := range width {
			if got, want := drawn[[2]int{x, y}], isDark(code, x, y); got != want {
				t.Fatalf("module %d,%d is dark = %t, want %t", x, y, got, want)
			}
		}
	}
	if len(drawing) > 6000 {
		t.Errorf("the drawing has %d bytes, want at most 6000", len(drawing))
	}
}

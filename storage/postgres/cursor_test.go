package postgres

import "testing"

func FuzzParseFeedCursor(f *testing.F) {
	for _, text := range []string{"N/5:9:6,7//0", "N/5:9:/5:12:7/8", "/", "N/9:5://0", "N/5:9:9,9//1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := parseFeedCursor(text)
		if c.Nonce == "" && c != (feedCursor{Base: nothingSeen}) {
			t.Errorf("parseFeedCursor(%q) = %+v, want the beginning", text, c)
		}
		if c.Nonce != "" && parseFeedCursor(c.String()) != c {
			t.Errorf("parseFeedCursor(%q) = %+v, which is %+v when it is read again", text, c, parseFeedCursor(c.String()))
		}
	})
}

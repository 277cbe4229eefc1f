package language

import (
	"net/netip"
	"strings"
)

// Network returns the network of an address: precise enough to recognize a request,
// and less than a location.
func Network(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	bits := 24
	if ip.Is6() {
		bits = 48
	}
	prefix, err := ip.Prefix(bits)
	if err != nil || !ip.IsValid() { // the zero Addr has a prefix without an error
		return ""
	}
	return prefix.String()
}

// Browser returns browser and system from a User-Agent, or "" if it contains no
// known browser. The header is chosen by the client: only names from these lists
// appear in a text.
func Browser(userAgent string) string {
	find := func(pairs [][2]string) string {
		for _, pair := range pairs {
			if strings.Contains(userAgent, pair[0]) {
				return pair[1]
			}
		}
		return ""
	}
	browser := find([][2]string{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"YaBrowser/", "Yandex Browser"},
		{"Vivaldi/", "Vivaldi"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	})
	system := find([][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"CrOS", "ChromeOS"},
		{"Macintosh", "macOS"},
		{"Linux", "Linux"},
	})
	return strings.Trim(browser+", "+system, ", ")
}

package secrets

import "testing"

func TestFoundIn(t *testing.T) {
	t.Parallel()
	var set Set
	set.Add("token", "abc.def")
	set.Add("code", "123456")
	set.Add("address", "ann+x@example.com")
	set.Add("nothing", "")
	if set.Len() != 3 {
		t.Fatalf("%d secrets known", set.Len())
	}
	for text, want := range map[string]int{
		"":                                     0,
		"one\nAuthorization: abc.def\nthree":   1,
		`{"ts":1700000000.123456}`:             0,
		`{"size":1234567}`:                     0,
		`{"code":"123456"}`:                    1,
		"to=ann%2Bx%40example.com":             1,
		"ann+x@example.com typed 123456 there": 2,
	} {
		if got := set.FoundIn(text); len(got) != want {
			t.Errorf("%q: found %v", text, got)
		}
	}
}

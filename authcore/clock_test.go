package authcore_test

import (
	"testing"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

func TestSkew(t *testing.T) {
	begin := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct{ theirs, took, want time.Duration }{
		{0, 0, 0},
		{time.Second, 2 * time.Second, 0},
		{0, 2 * time.Second, -time.Second},
		{time.Hour, 2 * time.Second, time.Hour - time.Second},
		{-time.Hour, 0, -time.Hour},
	} {
		if got := authcore.Skew(begin, begin.Add(c.theirs), begin.Add(c.took)); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

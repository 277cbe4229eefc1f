package stat

import (
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		samples Samples
		want    float64
	}{
		{Samples{3}, 3},
		{Samples{9, 1, 5}, 5},
		{Samples{4, 1, 2, 100}, 3},
	} {
		if got := test.samples.Median(); got != test.want {
			t.Errorf("%v: %v, want %v", test.samples, got, test.want)
		}
	}
	if got := (Samples{}).Median(); !math.IsNaN(got) {
		t.Errorf("no samples: %v, want NaN", got)
	}
}

func TestWhole(t *testing.T) {
	for number, want := range map[float64]string{
		0: "0", 999: "999", 1000: "1,000", 1234567.4: "1,234,567", -1234: "-1,234", -0.2: "0",
	} {
		if got := Whole(number); got != want {
			t.Errorf("%v: %q, want %q", number, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	table := NewTable("what", "µs")
	table.Add("hot", "1.02")
	const want = "| what | µs |\n| --- | ---: |\n| hot | 1.02 |\n"
	if got := table.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

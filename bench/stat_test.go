package main

import (
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 100}, 3},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.values, got, test.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median(nil) = %v, want NaN", got)
	}
}

// The interval contains the median, has no width if all slices agree, and is wider if
// whole sets differ than if the slices of each set differ alike.
func TestInterval(t *testing.T) {
	within := samples{{1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}}
	between := samples{{1, 1, 1}, {3, 3, 3}, {1, 1, 1}, {3, 3, 3}}
	for _, test := range []struct {
		name    string
		samples samples
		low     float64
		high    float64
	}{
		{"equal", samples{{2, 2}, {2, 2}}, 2, 2},
		{"one set", samples{{1, 2, 3}}, 1, 3},
		{"slices differ", within, 1, 3},
		{"sets differ", between, 1, 3},
	} {
		low, high := test.samples.interval()
		if low < test.low || high > test.high || low > high || test.samples.median() < low || test.samples.median() > high {
			t.Errorf("interval of %s = %v to %v, want it within %v to %v and around the median", test.name, low, high, test.low, test.high)
		}
	}
	wide := func(s samples) float64 {
		low, high := s.interval()
		return high - low
	}
	if wide(between) < wide(within) {
		t.Errorf("interval of sets that differ has width %v, want at least %v", wide(between), wide(within))
	}
}

func TestFigure(t *testing.T) {
	for number, want := range map[float64]string{
		0: "0", 0.123: "0.12", 9.994: "9.99", 28.31: "28.3", 999: "999", 1000: "1,000", 1234567.4: "1,234,567", -1234: "-1,234", -123456: "-123,456",
	} {
		if got := figure(number); got != want {
			t.Errorf("figure(%v) = %q, want %q", number, got, want)
		}
	}
	if got := count(1_000_000); got != "1,000,000" {
		t.Errorf("count(1000000) = %q, want 1,000,000", got)
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-quick", "-sets", "5", "-only", "hot,growth"})
	if err != nil || o.sets != 5 || o.rounds != quickScale().rounds || len(o.only) != 2 {
		t.Errorf("parse = %+v, %v, want 5 sets, quick rounds and two names", o, err)
	}
	if _, err := parse([]string{"-only", "everything"}); err == nil {
		t.Error("parse(-only everything) = nil, want an error")
	}
}

// A named row comes with the row that it is compared with.
func TestChosen(t *testing.T) {
	b := &bench{options: options{only: []string{"hot-few"}, scale: tiny()}, skipped: new(string)}
	list := b.chosen()
	if len(list) != 2 || list[0].name != "plain-few" || list[1].name != "hot-few" {
		t.Errorf("chosen = %+v, want plain-few and hot-few", list)
	}
	b.only = []string{"memory"}
	if list := b.chosen(); len(list) != 0 {
		t.Errorf("chosen = %+v for another section, want none", list)
	}
}

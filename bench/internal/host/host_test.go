package host

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var ended []string
	var dir string
	stop, err := Run(t.Context(), func(tb testing.TB) {
		tb.Helper()
		dir = tb.TempDir()
		for _, name := range []string{"first", "second"} {
			tb.Cleanup(func() { ended = append(ended, name) })
		}
		if tb.Context() != t.Context() || tb.Failed() {
			tb.Errorf("not the context of the caller")
		}
		tb.Logf("nobody asks")
	})
	if err != nil || len(ended) > 0 {
		t.Fatalf("error %v, ended %v", err, ended)
	}
	if err := stop(); err != nil || strings.Join(ended, " ") != "second first" {
		t.Errorf("stop: error %v, ended %v", err, ended)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestRunFails(t *testing.T) {
	for name, test := range map[string]struct {
		start   func(testing.TB)
		want    string
		skipped bool
	}{
		"skip": {func(tb testing.TB) {
			tb.Helper()
			tb.Skipf("%s is not installed", "x")
		}, "skipped: x is not installed", true},
		"fatal": {func(tb testing.TB) {
			tb.Helper()
			tb.Fatal("no port")
		}, "no port", false},
		"fatalf": {func(tb testing.TB) {
			tb.Helper()
			tb.Fatalf("no %s", "port")
		}, "no port", false},
		"error": {func(tb testing.TB) {
			tb.Helper()
			tb.Errorf("no port")
		}, "no port", false},
	} {
		ended := false
		_, err := Run(t.Context(), func(tb testing.TB) {
			tb.Helper()
			tb.Cleanup(func() {
				ended = true
				if tb.Failed() {
					tb.Logf("its log")
				}
			})
			test.start(tb)
		})
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrSkipped) != test.skipped || !ended {
			t.Errorf("%s: error %v, ended %v", name, err, ended)
		}
		if err != nil && strings.Contains(err.Error(), "its log") == test.skipped {
			t.Errorf("%s: the log: %v", name, err)
		}
	}
}

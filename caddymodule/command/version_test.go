package command

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestPrintVersions(t *testing.T) {
	caddy := &debug.Module{Path: caddyModule, Version: "v2.11.9"}
	platform := "Go " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	for _, test := range []struct {
		name, stamped string
		info          *debug.BuildInfo
		want          string
	}{
		{
			"a released binary", "v1.2.3",
			&debug.BuildInfo{Main: debug.Module{Path: ownModule, Version: "(devel)"}, Deps: []*debug.Module{caddy}},
			"edgeauth v1.2.3\nCaddy v2.11.9\n",
		},
		{
			"a build from a clone", "",
			&debug.BuildInfo{Main: debug.Module{Path: ownModule, Version: "v1.2.4-0.20261127000000-abcdef012345"}, Deps: []*debug.Module{caddy}},
			"edgeauth v1.2.4-0.20261127000000-abcdef012345\nCaddy v2.11.9\n",
		},
		{
			"a build by xcaddy", "",
			&debug.BuildInfo{Main: debug.Module{Path: "caddy"}, Deps: []*debug.Module{{Path: ownModule, Version: "v1.2.3"}, caddy}},
			"edgeauth v1.2.3\nCaddy v2.11.9\n",
		},
		{
			"a fork", "",
			&debug.BuildInfo{Deps: []*debug.Module{{
				Path: ownModule, Version: "v1.2.3", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.2.9"},
			}}},
			"edgeauth v1.2.9\nCaddy (unknown)\n",
		},
		{"a binary without build information", "", nil, "edgeauth (unknown)\nCaddy (unknown)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := printVersions(&out, test.stamped, test.info); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != test.want+platform {
				t.Errorf("printVersions(%q) = %q, want %q", test.stamped, got, test.want+platform)
			}
		})
	}
}

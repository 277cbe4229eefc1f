package caddymodule

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// environWarnings reports running servers with `--environ` if the configuration reads
// secrets from the environment: the flag prints all variables to the log, which is the
// journal under systemd. processes is the content of /proc. Other systems, and processes
// that the user may not see, give no warning.
func environWarnings(config []byte, processes fs.FS) (warnings []string) {
	if !bytes.Contains(config, []byte("{env.")) {
		return nil
	}
	files, _ := fs.Glob(processes, "[0-9]*/cmdline") // the pattern is valid
	for _, file := range files {
		content, err := fs.ReadFile(processes, file)
		if err != nil {
			continue // the process has ended
		}
		arguments := strings.Split(strings.TrimSuffix(string(content), "\x00"), "\x00")
		if len(arguments) > 2 && slices.Contains(arguments[1:], "run") && slices.Contains(arguments[1:], "--environ") &&
			isCaddy(path.Base(arguments[0])) {
			warnings = append(warnings, fmt.Sprintf("process %s runs with --environ, which prints every variable of the environment, secrets included, to the journal; remove the flag, and replace the secrets", path.Dir(file)))
		}
	}
	return warnings
}

// isCaddy reports whether a program is a build of Caddy by its file name.
func isCaddy(name string) bool {
	return strings.HasPrefix(name, "caddy") || strings.HasPrefix(name, "edgeauth")
}

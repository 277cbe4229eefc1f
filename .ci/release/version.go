package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// semantic is a version as in SemVer 2.0, with a leading v and without build metadata,
// which tags of Go modules do not have.
var semantic = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$`)

// describe sets the version, unless it is given, and the time of the commit.
func (r *release) describe(ctx context.Context) error {
	stamp, err := r.git(ctx, "log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("git log: unexpected time %q", stamp)
	}
	r.time = time.Unix(seconds, 0).UTC()
	if r.version != "" {
		if !semantic.MatchString(r.version) {
			return fmt.Errorf("-version: %q is not SemVer; write for example v1.2.3", r.version)
		}
		return nil
	}
	described, err := r.git(ctx, "describe", "--tags", "--long", "--match", "v[0-9]*")
	if err != nil { // there is no tag
		count, err := r.git(ctx, "rev-list", "--count", "HEAD")
		if err != nil {
			return err
		}
		hash, err := r.git(ctx, "rev-parse", "--short=8", "HEAD")
		if err != nil {
			return err
		}
		described = "v0.0.0-" + count + "-g" + hash
	}
	r.version, err = versionOf(described)
	return err
}

// versionOf converts the output of `git describe --long` to a version. Commits after a
// tag are development versions of the next patch.
func versionOf(described string) (string, error) {
	rest, hash, ok := cutLast(described, "-g")
	tag, count, ok2 := cutLast(rest, "-")
	match := semantic.FindStringSubmatch(tag)
	if !ok || !ok2 || match == nil {
		return "", fmt.Errorf("git describe: %q is not a SemVer tag", described)
	}
	if count == "0" {
		return tag, nil
	}
	if match[4] != "" { // v1.2.3-rc.1 and later
		return tag + ".dev." + count + ".g" + hash, nil
	}
	patch, err := strconv.Atoi(match[3])
	if err != nil {
		return "", err
	}
	if tag != "v0.0.0" {
		patch++
	}
	return fmt.Sprintf("v%s.%s.%d-dev.%s.g%s", match[1], match[2], patch, count, hash), nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// git runs git in the project. The owner of the checkout may be another user.
func (r *release) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=*", "-C", r.root}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// notes returns the section of the changelog about the version. A development version
// has the section [Unreleased].
func (r *release) notes() (string, error) {
	text, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	name := strings.TrimPrefix(r.version, "v")
	if strings.Contains(name, "dev.") {
		name = "Unreleased"
	}
	return section(string(text), name)
}

// section returns what follows the heading `## [name]`, up to the next one.
func section(changelog, name string) (string, error) {
	var lines []string
	inside := false
	for line := range strings.SplitSeq(changelog, "\n") {
		if strings.HasPrefix(line, "## ") {
			if inside {
				break
			}
			inside = strings.HasPrefix(line, "## ["+name+"]")
			continue
		}
		if inside {
			lines = append(lines, line)
		}
	}
	notes := strings.TrimSpace(strings.Join(lines, "\n"))
	if notes == "" {
		return "", fmt.Errorf("CHANGELOG.md: has no section [%s]; rename [Unreleased]", name)
	}
	return notes + "\n", nil
}

package edgeauth_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

// checkCaddyCommand checks arguments against the commands of Caddy and of this module:
// names, flags and the number of arguments.
func checkCaddyCommand(t *testing.T, arguments []string) {
	var names, rest []string
	synopsis := false
	for i, argument := range arguments {
		if argument == "…" || strings.Contains(argument, or) && i < 3 && find(arguments[:i]).HasSubCommands() {
			synopsis = true
		}
	}
	if !synopsis {
		checkCall(t, brackets(arguments, true))
		if fewer := brackets(arguments, false); len(fewer) < len(arguments) {
			checkCall(t, fewer)
		}
		return
	}
	for i, argument := range brackets(arguments, true) {
		switch {
		case i < 2 || i == 2 && strings.Contains(argument, or):
			names = append(names, argument)
		case strings.HasPrefix(argument, "--"):
			rest = append(rest, argument)
		}
	}
	alternatives := strings.Split(names[len(names)-1], or)
	for _, alternative := range alternatives {
		if find(append(slices.Clone(names[:len(names)-1]), alternative)) == nil {
			t.Errorf("caddy %s %s: unknown command", strings.Join(names[:len(names)-1], " "), alternative)
		}
	}
	for _, flag := range rest {
		if !slices.ContainsFunc(alternatives, func(alternative string) bool {
			cmd := find(append(slices.Clone(names[:len(names)-1]), alternative))
			return cmd != nil && hasFlag(cmd, flag)
		}) {
			t.Errorf("caddy %s: no command has the flag %s", strings.Join(names, " "), flag)
		}
	}
}

// checkCall checks a call as a user types it, with the first of alternatives.
func checkCall(t *testing.T, arguments []string) {
	if len(arguments) == 0 {
		return
	}
	for i, argument := range arguments {
		arguments[i], _, _ = strings.Cut(argument, or)
	}
	root := command(arguments[0])
	if root == nil {
		t.Errorf("caddy %s: unknown command", arguments[0])
		return
	}
	cmd, rest, err := root.Find(arguments[1:])
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err == nil && cmd.HasSubCommands() && arguments[0] == "edgeauth" && !cmd.Runnable() {
		err = cobra.NoArgs(cmd, cmd.Flags().Args())
	}
	if err != nil {
		t.Errorf("caddy %s: %v", strings.Join(arguments, " "), err)
		return
	}
	if config := cmd.Flags().Lookup("config"); config != nil && strings.HasSuffix(config.Value.String(), ".Caddyfile") {
		if !hasExample(t, config.Value.String()) {
			t.Errorf("caddy %s: docs/examples has no file %s", strings.Join(arguments, " "), config.Value)
		}
	}
}

// hasExample reports whether a directory below docs/examples has a file.
func hasExample(t *testing.T, name string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir("docs/examples", func(_ string, entry fs.DirEntry, err error) error {
		found = found || err == nil && entry.Name() == name
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// brackets removes the marks of optional arguments, or the optional arguments.
func brackets(arguments []string, given bool) []string {
	var result []string
	inside := false
	for _, argument := range arguments {
		closes := strings.HasSuffix(argument, "]")
		inside = inside || strings.HasPrefix(argument, "[")
		if argument != "…" && (given || !inside) {
			result = append(result, strings.Trim(argument, "[]"))
		}
		inside = inside && !closes
	}
	return result
}

// command returns a command of Caddy, with its subcommands.
func command(name string) *cobra.Command {
	registered, found := caddycmd.Commands()[name]
	if !found {
		return nil
	}
	cmd := &cobra.Command{Use: name}
	if registered.CobraFunc != nil {
		registered.CobraFunc(cmd)
	}
	return cmd
}

func find(names []string) *cobra.Command {
	cmd := command(names[0])
	for _, name := range names[1:] {
		if cmd = subcommand(cmd, name); cmd == nil {
			return nil
		}
	}
	return cmd
}

func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}

func hasFlag(cmd *cobra.Command, flag string) bool {
	name := strings.TrimPrefix(flag, "--")
	return cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil
}

// The reference of the commands lists each command of this module.
func TestDocumentedCommandsAreComplete(t *testing.T) {
	text := readFile(t, "docs/caddyfile.md")
	for _, cmd := range command("edgeauth").Commands() {
		line := regexp.MustCompile(`(?m)^caddy edgeauth ` + regexp.QuoteMeta(cmd.Name()) + `( \S*|)`).FindStringSubmatch(text)
		if line == nil {
			t.Errorf("docs/caddyfile.md does not list the command %q", cmd.Name())
			continue
		}
		for _, sub := range cmd.Commands() {
			listed := regexp.MustCompile(`(?m)^caddy edgeauth ` + regexp.QuoteMeta(cmd.Name()) + ` (?:\S*\|)?` + regexp.QuoteMeta(sub.Name()) + `\b`)
			if !listed.MatchString(text) {
				t.Errorf("docs/caddyfile.md does not list the command %q", cmd.Name()+" "+sub.Name())
			}
		}
	}
}

// Commands in the text of a page exist, as those in blocks do.
func TestDocumentedInlineCommands(t *testing.T) {
	fence := regexp.MustCompile("(?ms)^ *```.*?\n *```$")
	inline := regexp.MustCompile("`((?:caddy|make|curl) [^`]+)`")
	commands := 0
	for _, page := range pages(t) {
		for _, found := range inline.FindAllStringSubmatch(fence.ReplaceAllString(readFile(t, page), ""), -1) {
			commands++
			t.Run(page+"/"+found[1], func(t *testing.T) {
				checkInline(t, strings.Join(strings.Fields(found[1]), " "))
			})
		}
	}
	if commands == 0 {
		t.Error("found no command in the text of the pages")
	}
}

// checkInline checks a command without requiring its arguments.
func checkInline(t *testing.T, text string) {
	script := alternative.ReplaceAllString(withNames(text), "$1"+or+"$2")
	directory := "."
	for _, words := range shellCommands(script) {
		if words[0] != "caddy" {
			checkCommand(t, &directory, words)
			continue
		}
		checkMention(t, words[1:])
	}
}

// checkMention checks the names and flags of a command, which may lack arguments.
func checkMention(t *testing.T, words []string) {
	cmd := command(words[0])
	if cmd == nil {
		t.Errorf("caddy %s: unknown command", words[0])
		return
	}
	for _, word := range words[1:] {
		name, _, _ := strings.Cut(word, "=")
		switch {
		case strings.HasPrefix(word, "--"):
			if !hasFlag(cmd, name) && !slices.ContainsFunc(cmd.Commands(), func(sub *cobra.Command) bool { return hasFlag(sub, name) }) {
				t.Errorf("caddy %s: %s has no flag %s", strings.Join(words, " "), cmd.Name(), name)
			}
		case cmd.HasSubCommands() && word != "…":
			var next *cobra.Command
			for _, alternative := range strings.Split(word, or) {
				if next = subcommand(cmd, alternative); next == nil {
					t.Errorf("caddy %s: unknown command %q", strings.Join(words, " "), alternative)
					return
				}
			}
			cmd = next
		}
	}
}

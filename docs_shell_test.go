package edgeauth_test

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// checkShell checks each command of a block, without running it. Optional arguments in
// brackets are given, and of alternatives (a|b) the first is.
func checkShell(t *testing.T, b block) {
	script := withNames(b.text)
	script = alternative.ReplaceAllString(script, "$1"+or+"$2")
	script = alternative.ReplaceAllString(script, "$1"+or+"$2") // matches do not overlap
	if shell, err := exec.LookPath("sh"); err != nil {
		t.Logf("NOT TESTED: the syntax of the shell: %v", err)
	} else if out, err := exec.Command(shell, "-n", "-c", script).CombinedOutput(); err != nil {
		t.Errorf("sh -n reports: %v\n%s", err, out)
	}
	checkPaths(t, b)
	directory := "."
	for _, words := range shellCommands(script) {
		checkCommand(t, &directory, words)
	}
}

// or separates alternatives: unlike |, it is not an operator of the shell.
const or = "¦"

// withNames replaces <name> by a word, and <n> by a number.
func withNames(text string) string {
	return notation.ReplaceAllString(strings.ReplaceAll(text, "<n>", "1"), "NAME")
}

var (
	notation    = regexp.MustCompile(`<[a-z][a-z ]*>`)
	alternative = regexp.MustCompile(`([\w-])\|([\w-])`)
	assignment  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

func checkCommand(t *testing.T, directory *string, words []string) {
	for len(words) > 0 && (assignment.MatchString(words[0]) || words[0] == "do" || words[0] == "while") {
		words = words[1:]
	}
	if len(words) == 0 {
		return
	}
	switch name, arguments := words[0], words[1:]; name {
	case "caddy", "edgeauth":
		checkCaddyCommand(t, arguments)
	case "make":
		checkMake(t, arguments)
	case "curl":
		checkCurl(t, arguments)
	case "cd":
		if !filepath.IsAbs(arguments[0]) && !enter(directory, arguments[0]) {
			t.Errorf("cd %s: there is no such directory below %s", arguments[0], *directory)
		}
	case "go":
		checkGoCommand(t, *directory, arguments)
	case "env":
		checkCommand(t, directory, arguments)
	case "runuser":
		end := slices.Index(words, "--") + 1
		checkOtherProgram(t, words[:end])
		checkCommand(t, directory, words[end:])
	case "node", "python3":
		if _, err := os.Stat(filepath.Join(*directory, arguments[0])); err != nil && !hasExample(t, arguments[0]) {
			t.Errorf("%s: %v, and docs/examples has no such file", name, err)
		}
	default:
		checkOtherProgram(t, words)
	}
}

// enter changes the directory, relative to itself or to the root of the repository:
// lines of a block may each start there. A clone of the repository is this one.
func enter(directory *string, to string) bool {
	for _, from := range []string{*directory, "."} {
		if info, err := os.Stat(filepath.Join(from, to)); err == nil && info.IsDir() {
			*directory = filepath.Join(from, to)
			return true
		}
	}
	return to == "edgeauth"
}

func checkMake(t *testing.T, arguments []string) {
	makefile := readFile(t, "Makefile")
	for _, argument := range arguments {
		pattern := `(?m)^` + regexp.QuoteMeta(argument) + `:`
		if name, _, isVariable := strings.Cut(argument, "="); isVariable {
			pattern = `(?m)^` + regexp.QuoteMeta(name) + ` \?=`
		}
		if !regexp.MustCompile(pattern).MatchString(makefile) {
			t.Errorf("make %s: the Makefile does not define it", argument)
		}
	}
}

// checkGoCommand checks that the arguments after `go run .` are flags of the program.
func checkGoCommand(t *testing.T, directory string, arguments []string) {
	sources, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil || len(sources) == 0 {
		t.Errorf("go %q: there is no package in %s", arguments, directory)
	}
	if !slices.Equal(arguments[:2], []string{"run", "."}) {
		return
	}
	var program strings.Builder
	for _, source := range sources {
		program.WriteString(readFile(t, source))
	}
	for _, argument := range arguments[2:] {
		if name, isFlag := strings.CutPrefix(argument, "-"); isFlag && !strings.Contains(program.String(), `"`+name+`"`) {
			t.Errorf("go run . %s: the program in %s has no such flag", argument, directory)
		}
	}
}

// checkCurl checks the calls of the login API and of the operators' API.
func checkCurl(t *testing.T, arguments []string) {
	method, target := "GET", ""
	for i := 0; i < len(arguments); i++ {
		switch argument := arguments[i]; {
		case argument == "-X":
			i++
			method = arguments[i]
		case argument == "-d":
			i++
			if method == "GET" {
				method = "POST"
			}
			if data := arguments[i]; strings.HasPrefix(data, "{") && !json.Valid([]byte(data)) {
				t.Errorf("curl -d %s: not valid JSON", data)
			}
		case argument == "-H", argument == "-u", strings.HasPrefix(argument, "-") && strings.HasSuffix(argument, "o"):
			i++
		case !strings.HasPrefix(argument, "-"):
			target = argument
		}
	}
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	parsed, err := url.Parse(target)
	if err != nil {
		t.Errorf("curl: %v", err)
		return
	}
	if path, isAPI := strings.CutPrefix(parsed.Path, "/v1/auth"); isAPI && !hasCall(t, method, path) {
		t.Errorf("curl: docs/openapi.yaml has no %s %s", method, path)
	}
	if path, isAdmin := strings.CutPrefix(parsed.Path, "/edgeauth"); isAdmin && !hasAdminCall(t, method, path) {
		t.Errorf("curl: the operators' API has no %s %s", method, path)
	}
}

// hasAdminCall reports whether package adminapi handles a call.
func hasAdminCall(t *testing.T, method, path string) bool {
	t.Helper()
	files, err := filepath.Glob("adminapi/*.go")
	if err != nil {
		t.Fatal(err)
	}
	pattern := `"` + method + " " + regexp.QuoteMeta(path) + `"`
	return slices.ContainsFunc(files, func(file string) bool {
		return !strings.HasSuffix(file, "_test.go") && regexp.MustCompile(pattern).MatchString(readFile(t, file))
	})
}

// apiPath matches the paths of the login API in any language.
var apiPath = regexp.MustCompile(`(?:/v1/auth|AUTH_URL\})(/[\w./<>$-]*)`)

// checkPaths checks that docs/openapi.yaml contains the paths of the login API.
func checkPaths(t *testing.T, b block) {
	for _, found := range apiPath.FindAllStringSubmatch(b.text, -1) {
		if !hasCall(t, "", found[1]) {
			t.Errorf("docs/openapi.yaml has no path %s", found[1])
		}
	}
}

// hasCall reports whether the login API has a path, with a method unless that is "".
func hasCall(t *testing.T, method, path string) bool {
	t.Helper()
	_, paths, _ := strings.Cut(readFile(t, "docs/openapi.yaml"), "\npaths:\n")
	current := false
	for line := range strings.Lines(paths) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "  /"):
			parts := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), ":"), "/")
			for i, part := range parts {
				if parts[i] = regexp.QuoteMeta(part); strings.HasPrefix(part, "{") {
					parts[i] = `[^/]+`
				}
			}
			current = regexp.MustCompile("^" + strings.Join(parts, "/") + "$").MatchString(path)
			if current && method == "" {
				return true
			}
		case current && line == "    "+strings.ToLower(method)+":":
			return true
		}
	}
	return false
}

// shellCommands splits a script into the words of its commands, those in $(…) too.
// Redirections are left out.
func shellCommands(script string) [][]string {
	var (
		commands [][]string
		words    []string
		word     strings.Builder
		inWord   bool
		redirect bool
		quote    rune
	)
	endWord := func() {
		if inWord && !redirect {
			words = append(words, word.String())
		}
		if inWord {
			redirect = false
		}
		word.Reset()
		inWord = false
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words, redirect = nil, false
	}
	script = strings.ReplaceAll(script, "\\\n", " ")
	comment := false
	for _, r := range strings.ReplaceAll(script, "$(", ";") {
		switch {
		case comment && r != '\n':
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == '#' && !inWord:
			comment = true
		case strings.ContainsRune("\n;|&)", r):
			comment = false
			endCommand()
		case r == ' ' || r == '\t':
			endWord()
		case r == '<' || r == '>':
			endWord()
			redirect = true
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	endCommand()
	return commands
}

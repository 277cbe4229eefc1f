package edgeauth_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// otherPrograms maps the programs of others, some with a subcommand, and the builtins of
// the shell to the options that blocks use.
var otherPrograms = map[string]string{
	"age":                "-r",
	"apt":                "",
	"base64":             "-w",
	"cosign verify":      "--certificate-oidc-issuer --certificate-identity-regexp",
	"cosign verify-blob": "--bundle --certificate-oidc-issuer --certificate-identity-regexp",
	"diff":               "",
	"docker run": "--cap-drop --detach --env --publish --read-only --security-opt --stop-timeout " +
		"--volume",
	"do":             "",
	"done":           "",
	"echo":           "",
	"export":         "",
	"gh attestation": "--repo",
	"git":            "",
	"install":        "-d -m",
	"jq":             "-r",
	"kubectl apply":  "--kustomize",
	"mv":             "",
	"npm":            "",
	"oauth2-proxy": "--client-id --client-secret --cookie-secret --email-domain --https-address --oidc-issuer-url --provider " +
		"--skip-auth-route --upstream",
	"openssl genrsa": "-out",
	"openssl rsa":    "-in -outform -pubout",
	"printf":         "",
	"psql":           "-A -c -d -t",
	"read":           "-r",
	"runuser":        "-u",
	"sed":            "",
	"sha256sum":      "--check --ignore-missing",
	"systemctl":      "",
	"while":          "",
	"xcaddy":         "--with",
}

// option matches an option without its value, which may follow a letter.
var option = regexp.MustCompile(`^(--[a-z][a-z0-9-]*|-[a-zA-Z]+)`)

// checkOtherProgram checks the options of a program of others.
func checkOtherProgram(t *testing.T, words []string) {
	t.Helper()
	name, arguments := words[0], words[1:]
	if len(arguments) > 0 {
		if _, ok := otherPrograms[name+" "+arguments[0]]; ok {
			name, arguments = name+" "+arguments[0], arguments[1:]
		}
	}
	known, ok := otherPrograms[name]
	if !ok {
		t.Errorf("unknown command %q: add a check of it, or add it to otherPrograms", words)
	}
	for _, argument := range arguments {
		for _, used := range options(name, argument) {
			if !slices.Contains(strings.Fields(known), used) {
				t.Errorf("%s %s: unknown option; see its help, and add it to otherPrograms", name, used)
			}
		}
	}
}

// options returns the options in an argument: several letters may share a hyphen, except
// in those of OpenSSL.
func options(program, argument string) []string {
	found := option.FindString(argument)
	if found == "" || strings.HasPrefix(found, "--") || strings.HasPrefix(program, "openssl ") {
		return strings.Fields(found)
	}
	var all []string
	for _, letter := range found[1:] {
		all = append(all, "-"+string(letter))
	}
	return all
}

// The options in otherPrograms exist, where a program is installed.
func TestDocumentedOptionsOfOtherPrograms(t *testing.T) {
	for name, used := range otherPrograms {
		words := strings.Fields(name)
		program, err := exec.LookPath(words[0])
		if err != nil || used == "" || name == "read" {
			if err != nil && used != "" {
				t.Logf("NOT TESTED: the options of %s: %v", name, err)
			}
			continue
		}
		help := "--help"
		if words[0] == "openssl" {
			help = "-help"
		}
		out, _ := exec.Command(program, append(words[1:], help)...).CombinedOutput() // some fail after it
		for _, option := range strings.Fields(used) {
			if !regexp.MustCompile(`(?m)(^|[\s,\[])` + regexp.QuoteMeta(option) + `\b`).Match(out) {
				t.Errorf("%s %s does not mention %s:\n%s", name, help, option, out)
			}
		}
	}
}

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	output := flag.String("output", "bin/caddy", "the `file` to build")
	dry := flag.Bool("n", false, "print the call instead of making it")
	flag.Parse()
	if err := run(flag.Arg(0), *output, *dry); err != nil {
		fmt.Fprintln(os.Stderr, "xcaddy:", err)
		os.Exit(1)
	}
}

func run(path, output string, dry bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var b builder
	if err := json.Unmarshal(text, &b); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	args := b.args(output)
	fmt.Println("xcaddy", args)
	if dry {
		return nil
	}
	command := exec.Command("xcaddy", args...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if b.BuildFlags != "" {
		command.Env = append(os.Environ(), "XCADDY_GO_BUILD_FLAGS="+b.BuildFlags)
	}
	return command.Run()
}

// builder contains the fields of xcaddy's Builder that are used.
type builder struct {
	CaddyVersion string `json:"caddy_version"`
	Plugins      []struct {
		ModulePath string `json:"module_path"`
		Version    string `json:"version"`
	} `json:"plugins"`
	Replacements []struct {
		Old string `json:"old"`
		New string `json:"new"`
	} `json:"replacements"`
	BuildFlags string `json:"build_flags"`
}

func (b builder) args(output string) []string {
	args := []string{"build"}
	if b.CaddyVersion != "" {
		args = append(args, b.CaddyVersion)
	}
	for _, plugin := range b.Plugins {
		with := plugin.ModulePath
		if plugin.Version != "" {
			with += "@" + plugin.Version
		}
		args = append(args, "--with", with)
	}
	for _, replacement := range b.Replacements {
		args = append(args, "--replace", replacement.Old+"="+replacement.New)
	}
	return append(args, "--output", output)
}

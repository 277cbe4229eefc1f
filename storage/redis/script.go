package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts by SHA-1
	"embed"
	"encoding/hex"
	"strings"
)

//go:embed lua/*.lua
var sources embed.FS

type script struct {
	source, sha string
	// writes reports that replicas need what the script did.
	writes bool
}

func loadScripts() map[string]script {
	files, err := sources.ReadDir("lua")
	if err != nil {
		panic(err) // part of the program
	}
	scripts := make(map[string]script, len(files))
	for _, file := range files {
		source, err := sources.ReadFile("lua/" + file.Name())
		if err != nil {
			panic(err) // as above
		}
		sum := sha1.Sum(source) //nolint:gosec // as above
		name := strings.TrimSuffix(file.Name(), ".lua")
		writes := name == "commit" || name == "count" || name == "open"
		scripts[name] = script{string(source), hex.EncodeToString(sum[:]), writes}
	}
	return scripts
}

// run runs a script in the realm, as one atomic step.
func (s *Store) run(ctx context.Context, name string, keys []string, arguments ...string) (any, error) {
	script := s.db.scripts[name]
	command := make([]any, 0, 3+len(keys)+len(arguments))
	command = append(command, "evalsha", script.sha, len(keys))
	for _, list := range [][]string{keys, arguments} {
		for _, text := range list {
			command = append(command, text)
		}
	}
	value, err := s.do(ctx, script.writes, command)
	if isNoScript(err) { // it did not run: Redis forgets scripts when it restarts
		command[0], command[1] = "eval", script.source
		value, err = s.do(ctx, script.writes, command)
	}
	return value, err
}

// elements runs a script that returns a list of n elements.
func (s *Store) elements(ctx context.Context, n int, name string, keys []string, arguments ...string) ([]any, error) {
	value, err := s.run(ctx, name, keys, arguments...)
	elements := list(value)
	if err == nil && len(elements) != n {
		err = errUnexpected
	}
	return elements, err
}

// list returns the elements of a response, nil if it is not a list.
func list(value any) []any {
	elements, _ := value.([]any)
	return elements
}

// texts returns the elements of a response as texts, "" for what is not a text.
func texts(value any) []string {
	elements := list(value)
	all := make([]string, len(elements))
	for i, element := range elements {
		all[i], _ = element.(string)
	}
	return all
}

// fields returns the fields of a hash, nil if it is absent.
func fields(value any) map[string]string {
	pairs := texts(value)
	if len(pairs) < 2 {
		return nil
	}
	hash := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		hash[pairs[i]] = pairs[i+1]
	}
	return hash
}

package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/user"
	pathpkg "path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/adminapi"
	"github.com/edgeauth/edgeauth/authcore"
)

// Endpoint is the place of an operators' API.
type Endpoint struct {
	Client *http.Client
	// URL is the address of the API, without a slash at the end.
	URL string
	// Origin is the header Origin of requests, which Caddy's admin API can require;
	// optional.
	Origin string
	// Realm selects a realm; "" is the default one.
	Realm string
}

// Connect finds the operators' API from the flags --address, --config and --adapter.
type Connect func(address, config, adapter string) (Endpoint, error)

// The exit codes of the commands.
const (
	exitFailed   = 1
	exitNotFound = 4
)

// failure is an error that the server reported.
type failure struct {
	status int
	text   string
}

// Error returns the server's sentence.
func (f *failure) Error() string { return f.text }

// ExitCode returns the exit status of a command that returned err: 0 without an error,
// 4 if the server has no such user, session, key or invitation, otherwise 1.
func ExitCode(err error) int {
	var reported *failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &reported) && reported.status == http.StatusNotFound:
		return exitNotFound
	default:
		return exitFailed
	}
}

// addServerFlags adds the flags that select a realm of a running server.
func addServerFlags(cmd *cobra.Command) {
	cmd.PersistentFlags().String("realm", "", "Realm (default: the default realm)")
	cmd.PersistentFlags().String("address", "", "Address of the admin API (if --config is not used)")
	cmd.PersistentFlags().StringP("config", "c", "", "Configuration file (if --address is not used)")
	cmd.PersistentFlags().StringP("adapter", "a", "", "Name of config adapter to apply (if --config is used)")
}

// group returns a command that consists of sub-commands for a running server.
func group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	addServerFlags(cmd)
	cmd.PersistentFlags().Bool("json", false, "Print one JSON object per line")
	cmd.AddCommand(commands...)
	return cmd
}

// server performs the requests of one command.
type server struct {
	Endpoint
	out, hints io.Writer
	// json reports that the output is for a program.
	json bool
}

// connected returns a RunE function that finds the server for perform.
func connected(connect Connect, perform func(ctx context.Context, s server, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		text := func(flag string) string { return cmd.Flag(flag).Value.String() }
		endpoint, err := connect(text("address"), text("config"), text("adapter"))
		if err != nil {
			return fmt.Errorf("finding the admin API: %w", err)
		}
		endpoint.Realm = text("realm")
		s := server{Endpoint: endpoint, out: cmd.OutOrStdout(), hints: cmd.ErrOrStderr()}
		if flag := cmd.Flag("json"); flag != nil {
			s.json = flag.Value.String() == "true"
		}
		return perform(cmd.Context(), s, args)
	}
}

// pathOf returns a path below the address of the API.
func pathOf(segments ...string) string {
	path := ""
	for _, segment := range segments {
		path += "/" + url.PathEscape(segment)
	}
	return path
}

// perform sends a request without a body, and reports what happened to an item.
func (s server) perform(ctx context.Context, method, path, done, id string) error {
	if err := s.ask(ctx, method, path, nil, nil); err != nil {
		return err
	}
	if s.json {
		return s.line(map[string]string{done: id})
	}
	_, err := fmt.Fprintln(s.out, done, printable(id))
	return err
}

// ask sends a request and decodes the JSON of the response, unless into is nil.
func (s server) ask(ctx context.Context, method, path string, body, into any) error {
	response, err := s.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return errors.New("unexpected response from the admin API")
	}
	return nil
}

// send sends a request and returns its response, or the server's error. A path with an
// empty segment, "." or ".." would name something else than the argument it was made from,
// for example all keys instead of one. No item has such a name.
func (s server) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	name, _, _ := strings.Cut(path, "?")
	if name != pathpkg.Clean(name) {
		return nil, notFound()
	}
	uri := s.URL + path
	if s.Realm != "" {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		uri += separator + "realm=" + url.QueryEscape(s.Realm)
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, uri, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.Origin != "" {
		request.Header.Set("Origin", s.Origin)
	}
	request.Header.Set(adminapi.OperatorHeader, operatorName())
	client := *s.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the API has none
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking the running server: %w (does it run, and is its admin API on?)", err)
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	return nil, readFailure(response)
}

// readFailure returns the error of a response.
func readFailure(response *http.Response) error {
	var reported adminapi.Failure
	text, err := io.ReadAll(io.LimitReader(response.Body, adminapi.MaxBody))
	if err != nil || json.Unmarshal(text, &reported) != nil || reported.Error == "" {
		return &failure{status: response.StatusCode, text: "the admin API answered " + response.Status}
	}
	if reported.Code == authcore.CodeNotFound && reported.Error == authcore.NotFound().Detail {
		return notFound()
	}
	return &failure{status: response.StatusCode, text: printable(reported.Error)}
}

// notFound is the error for an item that does not exist.
func notFound() error {
	return &failure{status: http.StatusNotFound, text: "Not found: the realm has no such user, session, key or invitation."}
}

// operatorName returns the name of the user who runs the command.
func operatorName() string {
	if current, err := user.Current(); err == nil {
		return current.Username
	}
	return ""
}

// userID returns the ID of a user that is named by ID or address.
func (s server) userID(ctx context.Context, name string) (string, error) {
	if !strings.Contains(name, "@") {
		return name, nil
	}
	var found adminapi.User
	if err := s.ask(ctx, http.MethodPost, "/lookup", map[string]string{"email": name}, &found); err != nil {
		return "", err
	}
	return found.ID, nil
}

package caddymodule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

func userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user show|disable|enable|delete <id or e-mail>",
		Short: "Shows, changes or imports users of the running server",
		Long: `
Asks the admin API of the running server.

  show     prints the user
  disable  ends all sessions of the user and refuses new ones
  enable   lets the user in again
  delete   removes the user with all sessions and linked logins
  import   stores users of another system; see its own --help`,
		Args: cobra.ExactArgs(2),
	}
	cmd.AddCommand(userImportCommand())
	addAdminFlags(cmd)
	cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
		client, err := newAdminClient(flags)
		if err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		if err := runUser(os.Stdout, client, flags.Arg(0), flags.Arg(1)); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
		return caddy.ExitCodeSuccess, nil
	})
	return cmd
}

// adminClient talks to the admin API of the running server.
type adminClient struct {
	address, realm string
}

func newAdminClient(flags caddycmd.Flags) (adminClient, error) {
	address, err := caddycmd.DetermineAdminAPIAddress(flags.String("address"), nil, flags.String("config"), flags.String("adapter"))
	if err != nil {
		return adminClient{}, fmt.Errorf("finding the admin API: %w", err)
	}
	return adminClient{address, flags.String("realm")}, nil
}

// runUser does an operation on a user and prints what became of it.
func runUser(out io.Writer, client adminClient, operation, user string) error {
	var method, suffix string
	switch operation {
	case "show":
		method = http.MethodGet
	case "disable", "enable":
		method, suffix = http.MethodPost, "/"+operation
	case "delete":
		method = http.MethodDelete
	default:
		return fmt.Errorf("%q is not one of show, disable, enable, delete", operation)
	}
	id, err := client.id(user)
	if err != nil {
		return err
	}
	answer, err := client.ask(method, "users/"+url.PathEscape(id)+suffix, nil)
	if err != nil {
		return err
	}
	if len(answer) == 0 {
		_, err = fmt.Fprintln(out, "deleted", id)
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, answer, "", "  "); err != nil {
		return errors.New("unexpected response from the admin API")
	}
	_, err = pretty.WriteTo(out)
	return err
}

// id returns the id of a user who was named by id or address.
func (c adminClient) id(user string) (string, error) {
	if !strings.Contains(user, "@") {
		return user, nil
	}
	body, err := json.Marshal(map[string]string{"email": user})
	if err != nil {
		return "", err
	}
	answer, err := c.ask(http.MethodPost, "lookup", body)
	if err != nil {
		return "", err
	}
	var found struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &found); err != nil || found.ID == "" {
		return "", errors.New("unexpected response from the admin API")
	}
	return found.ID, nil
}

func (c adminClient) ask(method, path string, body []byte) ([]byte, error) {
	uri := adminPrefix + path
	if c.realm != "" {
		uri += "?realm=" + url.QueryEscape(c.realm)
	}
	// Caddy makes a client for each request, whose connection would stay.
	headers := http.Header{"Content-Type": {"application/json"}, "Connection": {"close"}}
	response, err := caddycmd.AdminAPIRequest(c.address, method, uri, headers, bytes.NewReader(body))
	if err != nil {
		return nil, adminError(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAdminBody))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return answer, nil
}

// adminError says what to do. The most common fault is that no server answers;
// Caddy's error says so in words only.
func adminError(err error) error {
	if strings.Contains(err.Error(), "responded with error") {
		return err
	}
	return fmt.Errorf("asking the running server: %w (does it run, and is its admin API on?)", err)
}

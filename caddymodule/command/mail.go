package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/edgeauth/edgeauth/mailer"
)

// Mail returns the command "mail".
func Mail() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mail preview --to <directory> [--templates <directory>] [--title <name>]",
		Short: "Writes a sample of every mail in every language to a directory",
		Long: `
Writes each mail as <language>/<kind>.html and <language>/<kind>.txt; the text begins
with the subject. Nothing is sent.`,
		Args: arguments(1, 1),
	}
	cmd.Flags().String("to", "", "Directory for the files; it is created if necessary")
	cmd.Flags().String("templates", "", "Directory with texts of your own (default: the built-in texts)")
	cmd.Flags().String("title", "", "Name of the site in the mails")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] != "preview" {
			return fmt.Errorf("mail: %q is not a command; use preview", args[0])
		}
		text := func(flag string) string { return cmd.Flag(flag).Value.String() }
		return previewMails(cmd.OutOrStdout(), text("templates"), text("title"), text("to"))
	}
	return cmd
}

// previewMails writes the mails below a directory.
func previewMails(out io.Writer, templates, title, to string) error {
	if to == "" {
		return fmt.Errorf("--to: is missing; name a directory for the files")
	}
	texts, err := mailer.LoadTemplates(templates)
	if err != nil {
		return err
	}
	samples, err := texts.Samples(title)
	if err != nil {
		return err
	}
	for _, sample := range samples {
		folder := filepath.Join(to, sample.Locale)
		if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // G301: sample mails are not secret
			return err
		}
		text := "Subject: " + sample.Content.Subject + "\n\n" + sample.Content.Text
		for extension, content := range map[string]string{"html": sample.Content.HTML, "txt": text} {
			if err := os.WriteFile(filepath.Join(folder, sample.Name+"."+extension), []byte(content), 0o644); err != nil { //nolint:gosec // G306: as above
				return err
			}
		}
	}
	_, err = fmt.Fprintf(out, "%d mails written to %s\n", len(samples), to)
	return err
}

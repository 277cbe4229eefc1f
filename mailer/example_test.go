package mailer_test

import (
	"context"
	"fmt"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
	"github.com/edgeauth/edgeauth/mailer"
)

// A queue in front of an SMTP server.
func ExampleNewQueue() {
	server, err := mailer.ParseSMTPURL("smtp://user:password@mail.example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	transport, err := mailer.NewSMTP(mailer.SMTPConfig{Server: server})
	if err != nil {
		fmt.Println(err)
		return
	}
	queue, err := mailer.NewQueue(mailer.QueueConfig{Transport: transport, From: "Example <login@example.com>"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(server, queue.Len(), queue.Close(ctx))
	// Output: smtp://mail.example.com:587?tls=starttls 0 <nil>
}

// The texts of a mail.
func ExampleTemplates_Render() {
	templates, err := mailer.LoadTemplates("")
	if err != nil {
		fmt.Println(err)
		return
	}
	content, err := templates.Render(authcore.Mail{
		Link: "https://frontend.app/auth/link/abc", Code: "123456", Lifetime: 15 * time.Minute, Locale: "de-AT",
	})
	fmt.Println(content.Subject, err)
	// Output: 123456 ist Ihr Code für frontend.app <nil>
}

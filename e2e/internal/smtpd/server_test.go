package smtpd

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/edgeauth/edgeauth/e2e/internal/ca"
)

const message = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"open https://a.test/l/abc=3Dd=\r\nef\r\n\r\n    123456\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
	"<a href=\"https://a.test/l/abc=def\">x</a> 123456\r\n--b--\r\n"

func TestServerTakesMailOverSTARTTLS(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)
	server := Start(t, Options{TLS: authority.ServerConfig(t), User: "u", Password: "p"})
	file, err := os.ReadFile(authority.File)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(file)
	client, err := smtp.DialStartTLS(server.Addr, &tls.Config{RootCAs: pool, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Auth(sasl.NewPlainClient("", "u", "wrong")); err == nil {
		t.Error("a wrong password is taken")
	}
	if err := client.Auth(sasl.NewPlainClient("", "u", "p")); err != nil {
		t.Fatal(err)
	}
	if err := client.SendMail("from@a.test", []string{"to@a.test"}, strings.NewReader(message)); err != nil {
		t.Fatal(err)
	}
	mail := server.Nth(t, "to@a.test", 1)
	parts := mail.Parts(t)
	if !mail.Encrypted || mail.User != "u" || mail.From != "from@a.test" || parts.Subject != "Grüße" {
		t.Errorf("got %+v", mail)
	}
	if link, code := parts.Link(t, "https://a.test/l/"), parts.Code(t); link != "https://a.test/l/abc=def" || code != "123456" {
		t.Errorf("got %q and %q", link, code)
	}
	if heard := server.Clear(); strings.Contains(heard, "AUTH") || !strings.Contains(heard, "STARTTLS") {
		t.Errorf("in the clear: %q", heard)
	}
}

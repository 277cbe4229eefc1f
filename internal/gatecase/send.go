package gatecase

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// patience limits the time of an answer on a busy machine.
const patience = time.Minute

// Response is an answer.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Send sends the exact bytes of the request of a case to an address.
func Send(tb testing.TB, address string, c *Case) Response {
	tb.Helper()
	return SendRaw(tb, address, c.Request.Method, c.Request.bytes())
}

// SendRaw sends the bytes of a request. The form of the answer depends on the method.
func SendRaw(tb testing.TB, address, method string, request []byte) Response {
	tb.Helper()
	dialer := net.Dialer{Timeout: patience}
	connection, err := dialer.DialContext(tb.Context(), "tcp", address)
	if err != nil {
		tb.Fatalf("dialer.DialContext = %v", err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatalf("connection.SetDeadline = %v", err)
	}
	if _, err := connection.Write(request); err != nil {
		tb.Fatalf("connection.Write = %v", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	if err != nil {
		tb.Fatalf("reading the answer failed: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		tb.Fatalf("reading the body of the answer failed: %v", err)
	}
	return Response{Status: answer.StatusCode, Header: answer.Header, Body: string(body)}
}

// bytes returns the message of the request (RFC 9112, section 2.1).
func (r *Request) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: gate.example.com\r\n", r.Method, r.Path)
	connection := false
	for _, header := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", header[0], latin1(header[1]))
		connection = connection || strings.EqualFold(header[0], "Connection")
	}
	if !connection {
		b.WriteString("Connection: close\r\n")
	}
	if r.Body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	}
	b.WriteString("\r\n" + r.Body)
	return b.Bytes()
}

// latin1 converts characters of the table to bytes.
func latin1(text string) []byte {
	data := make([]byte, 0, len(text))
	for _, r := range text {
		data = append(data, byte(r)) //nolint:gosec // the table has only these
	}
	return data
}

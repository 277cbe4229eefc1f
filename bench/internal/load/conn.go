package load

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

// errResponse is returned for responses that this package cannot read.
var errResponse = errors.New("load: not an HTTP/1.1 response with a Content-Length")

// conn is one connection with its buffers.
type conn struct {
	net.Conn
	reader        *bufio.Reader
	request, body []byte
}

func newConn(c net.Conn) *conn { return &conn{Conn: c, reader: bufio.NewReaderSize(c, 4<<10)} }

func (c *conn) send(plan Plan, i int) error {
	c.request = plan.Append(c.request[:0], i)
	if _, err := c.Write(c.request); err != nil {
		return err
	}
	status, err := c.receive()
	if err != nil {
		return err
	}
	return plan.Check(i, status, c.body)
}

// receive reads a response and keeps its body.
func (c *conn) receive() (status int, err error) {
	const protocol = "HTTP/1.1 "
	for length := -1; ; {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case status == 0:
			if len(line) < len(protocol)+3 || string(line[:len(protocol)]) != protocol {
				return 0, errResponse
			}
			status, err = strconv.Atoi(string(line[len(protocol) : len(protocol)+3]))
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		case len(line) == 0 && length >= 0:
			c.body = append(c.body[:0], make([]byte, length)...) // without an allocation if it fits
			_, err = io.ReadFull(c.reader, c.body)
			return status, err
		case len(line) == 0:
			return 0, errResponse
		}
		if err != nil {
			return 0, errResponse
		}
	}
}

// ServeUpstream responds to requests without a body until the listener is closed, with
// as little work as possible. It takes the place of the application behind a proxy.
func ServeUpstream(listener net.Listener) {
	for {
		accepted, err := listener.Accept()
		if err != nil {
			return
		}
		go respond(accepted) // ends with the connection
	}
}

func respond(c net.Conn) {
	defer c.Close()
	reader := bufio.NewReaderSize(c, 8<<10)
	response := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n")
	for {
		line, err := reader.ReadSlice('\n')
		if err == nil && len(line) <= len("\r\n") {
			_, err = c.Write(response)
		}
		if err != nil {
			return
		}
	}
}

package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// errAnswer says that an answer is not of the kind that is understood here.
var errAnswer = errors.New("load: not an HTTP/1.1 answer with a Content-Length")

var (
	contentLength    = []byte("content-length:")
	transferEncoding = []byte("transfer-encoding:")
)

// conn is one connection with its buffers.
type conn struct {
	net.Conn
	reader  *bufio.Reader
	request []byte
	body    []byte
}

func newConn(c net.Conn) *conn {
	return &conn{Conn: c, reader: bufio.NewReaderSize(c, 4<<10)}
}

// exchange sends the request and reads the answer. The body is valid until the
// next exchange.
func (c *conn) exchange() (status int, body []byte, err error) {
	if _, err := c.Write(c.request); err != nil {
		return 0, nil, fmt.Errorf("load: %w", err)
	}
	status, length, err := c.readHeader()
	if err != nil {
		return 0, nil, err
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	if _, err := io.ReadFull(c.reader, c.body); err != nil {
		return 0, nil, fmt.Errorf("load: %w", err)
	}
	return status, c.body, nil
}

func (c *conn) readHeader() (status, length int, err error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("load: %w", err)
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, 0, errAnswer
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, errAnswer
	}
	length = -1
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, 0, fmt.Errorf("load: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(line) == 0 && length < 0:
			return 0, 0, errAnswer
		case len(line) == 0:
			return status, length, nil
		case hasPrefixFold(line, contentLength):
			value := bytes.TrimSpace(line[len(contentLength):])
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, 0, errAnswer
			}
		case hasPrefixFold(line, transferEncoding):
			return 0, 0, errAnswer
		}
	}
}

func hasPrefixFold(line, prefix []byte) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], prefix)
}
